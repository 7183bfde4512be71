# CI without keys: GitHub's OIDC token is exchanged for a role that can only push images. Only the operator deploys; no
# workflow has permission to.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  # The account has one provider for all platforms; `shared` creates it.
  host         = "token.actions.githubusercontent.com"
  provider_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${local.host}"

  # Who can assume which role. Runs of pull requests, forks and other branches have a different subject.
  roles = {
    push = { test = "StringEquals", subject = "repo:${var.repository}:ref:refs/heads/${var.branch}" }
    tag  = { test = "StringLike", subject = "repo:${var.repository}:ref:refs/tags/v*" }
  }
}

data "aws_iam_policy_document" "trust" {
  #checkov:skip=CKV_AWS_358:the subject is repo:OWNER/NAME:ref:…, validated without wildcards; the check cannot evaluate the map
  for_each = local.roles

  statement {
    sid     = "OnlyThisRepositoryAndRef"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = each.value.test
      variable = "${local.host}:sub"
      values   = [each.value.subject]
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each = local.roles

  name                 = "${var.platform}-ci-${each.key}"
  description          = { push = "GitHub Actions on ${var.branch}: pushes images", tag = "GitHub Actions on a tag v*: adds a semver tag to existing images" }[each.key]
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "push" {
  statement {
    sid     = "LogIn"
    actions = ["ecr:GetAuthorizationToken"]
    # ecr:GetAuthorizationToken has no resource-level permissions; the token can do what this role can do.
    resources = ["*"]
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = var.image_repository_arns
  }
}

data "aws_iam_policy_document" "tag" {
  statement {
    sid     = "LogIn"
    actions = ["ecr:GetAuthorizationToken"]
    # ecr:GetAuthorizationToken has no resource-level permissions; the token can do what this role can do.
    resources = ["*"]
  }

  # No upload of layers: a semver tag can only be a second name of an image that was built from the branch.
  statement {
    sid       = "NameWhatIsThere"
    actions   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:PutImage"]
    resources = var.image_repository_arns
  }
}

resource "aws_iam_role_policy" "ci" {
  for_each = {
    push = data.aws_iam_policy_document.push.json
    tag  = data.aws_iam_policy_document.tag.json
  }

  name   = each.key
  role   = aws_iam_role.ci[each.key].id
  policy = each.value
}
