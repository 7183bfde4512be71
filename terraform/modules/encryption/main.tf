# One key per environment, for everything in it that stores data: database, cache, files, logs, secrets, alarms.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key policy applies to its own key only, so "*" means this key
  #checkov:skip=CKV_AWS_111:a key policy applies to its own key only, so "*" means this key
  #checkov:skip=CKV_AWS_356:a key policy applies to its own key only, so "*" means this key
  statement {
    sid     = "TheAccountDecidesByIam"
    actions = ["kms:*"]
    # In a key policy, "*" means the key that the policy is attached to.
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid     = "LogGroupsOfThisAccount"
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    # This key, as above.
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_region.current.region}.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  # Alarms publish to the encrypted topic. With the AWS-managed key of SNS they could not, and would fail silently.
  statement {
    sid     = "AlarmsOfThisAccount"
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    # This key, as above.
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Encrypts all data in ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.protected ? 30 : 7 # AWS allows no less; the alias is free at once
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
