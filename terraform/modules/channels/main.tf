# Where the operator's messages go, and its credentials there. One channel serves all environments.

resource "aws_sns_topic" "this" {
  for_each = toset(var.topics)

  name = "${var.platform}-${each.key}"
  # The AWS-managed key, so that the operator's role can publish without permissions on a key of this account.
  kms_master_key_id = "alias/aws/sns"
}

# Secrets without values: a person sets the value, so that no state and no plan contains it.
resource "aws_secretsmanager_secret" "this" {
  for_each = toset(var.secrets)
  #checkov:skip=CKV_AWS_149:the AWS-managed key, so that the operator (SAM) needs no permissions on another key
  #checkov:skip=CKV2_AWS_57:Slack and GitHub issue it and offer no automatic rotation

  name        = "ferryman/${var.platform}/${each.key}"
  description = "Set by hand: aws secretsmanager put-secret-value --secret-id ferryman/${var.platform}/${each.key}"
  # All environments use them, production too.
  recovery_window_in_days = 30
}

resource "aws_sesv2_email_identity" "this" {
  for_each = toset(var.mail_identities)

  email_identity = each.key
}
