# What the root `shared` had before, when there was one platform for each account. `shared` forgets it without destroying it
# (moved.tf there). An import block of what is in this root's state already does nothing.

locals {
  import = var.import_from_shared
}

data "aws_secretsmanager_secret" "import" {
  for_each = local.import ? toset(var.secrets) : toset([])

  name = "ferryman/${var.platform}/${each.key}"
}

import {
  for_each = local.import ? toset(values(module.names.repositories)) : toset([])
  to       = module.ecr.aws_ecr_repository.this[each.key]
  id       = each.key
}

import {
  for_each = local.import ? toset(values(module.names.repositories)) : toset([])
  to       = module.ecr.aws_ecr_lifecycle_policy.this[each.key]
  id       = each.key
}

import {
  for_each = local.import ? toset(["push", "tag"]) : toset([])
  to       = module.github_oidc.aws_iam_role.ci[each.key]
  id       = "${var.platform}-ci-${each.key}"
}

import {
  for_each = local.import ? toset(["push", "tag"]) : toset([])
  to       = module.github_oidc.aws_iam_role_policy.ci[each.key]
  id       = "${var.platform}-ci-${each.key}:${each.key}"
}

import {
  for_each = local.import ? toset(local.here.topics) : toset([])
  to       = module.channels.aws_sns_topic.this[each.key]
  id       = "arn:${data.aws_partition.current.partition}:sns:${var.aws_region}:${data.aws_caller_identity.current.account_id}:${var.platform}-${each.key}"
}

import {
  for_each = data.aws_secretsmanager_secret.import
  to       = module.channels.aws_secretsmanager_secret.this[each.key]
  id       = each.value.arn
}

import {
  for_each = local.import ? toset(local.here.mail_identities) : toset([])
  to       = module.channels.aws_sesv2_email_identity.this[each.key]
  id       = each.key
}

import {
  for_each = local.import ? toset([var.platform]) : toset([])
  to       = module.access.aws_ssm_parameter.text[each.key]
  id       = "/ferryman/operator/access/${each.key}"
}

import {
  for_each = local.import ? toset(concat([for name in local.here.topics : "${name}-topic-arn"], [for name in var.secrets : "${name}-arn"])) : toset([])
  to       = module.document.aws_ssm_parameter.text[each.key]
  id       = "/ferryman/${var.platform}/channels/${each.key}"
}
