# Two roles per family, each with only the permissions that the family needs. The operator can pass exactly these roles
# (their names come from modules/names).

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
  path               = var.role_path
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
    # The first seven parts are the secret's ARN; the rest selects a key of its JSON.
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

# What the application itself can do in AWS: nothing, unless its service has a policy.
resource "aws_iam_role" "task" {
  for_each = local.tasks

  name               = each.value.task_role
  path               = var.role_path
  description        = "AWS permissions of ${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "task" {
  for_each = { for family, task in local.tasks : family => task if task.has_task_policy }

  name   = "application"
  role   = aws_iam_role.task[each.key].id
  policy = each.value.task_policy
}
