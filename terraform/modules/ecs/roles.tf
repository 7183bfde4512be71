# Two roles per family, each for what that family needs. The operator may pass exactly these (names: modules/names).

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  logs = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group"
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "TasksOfThisAccount"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:*"]
    }
  }
}

# What ECS needs to start a task: its image, its log group, its secrets.
resource "aws_iam_role" "execution" {
  for_each = local.tasks

  name               = each.value.execution_role
  description        = "Starts tasks of ${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "execution" {
  for_each = local.tasks

  statement {
    sid     = "LogIn"
    actions = ["ecr:GetAuthorizationToken"]
    # ecr:GetAuthorizationToken has no resource-level permissions; the token can do what this role can do.
    resources = ["*"]
  }

  statement {
    sid       = "PullItsImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [each.value.repository_arn]
  }

  statement {
    sid       = "WriteItsLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.logs}:${each.value.log_group}:*"]
  }

  statement {
    sid     = "ReadItsSecrets"
    actions = ["secretsmanager:GetSecretValue"]
    # The secret's own ARN is the first seven parts; what follows chooses a key of its JSON.
    resources = distinct([for arn in values(each.value.secrets) : join(":", slice(split(":", arn), 0, 7))])
  }

  statement {
    sid       = "DecryptThem"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.tasks

  name   = "start-its-tasks"
  role   = aws_iam_role.execution[each.key].id
  policy = data.aws_iam_policy_document.execution[each.key].json
}

# What the application may do in AWS itself: nothing, unless its service brings a policy.
resource "aws_iam_role" "task" {
  for_each = local.tasks

  name               = each.value.task_role
  description        = "What ${each.key} may do in AWS"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "task" {
  for_each = { for family, task in local.tasks : family => task if task.has_task_policy }

  name   = "application"
  role   = aws_iam_role.task[each.key].id
  policy = each.value.task_policy
}
