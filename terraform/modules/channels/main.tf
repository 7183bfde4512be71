# Where the operator's messages go, and what it is known by there. Operator-wide: one channel serves all environments.

resource "aws_sns_topic" "this" {
  for_each = toset(var.topics)

  name = "${var.platform}-${each.key}"
  # The key that AWS manages: the operator's role publishes without rights on a key of ours.
  kms_master_key_id = "alias/aws/sns"
}

# Containers only: a person puts the value, so that no state and no plan ever holds it.
resource "aws_secretsmanager_secret" "this" {
  for_each = toset(var.secrets)
  #checkov:skip=CKV_AWS_149:the key that AWS manages; the operator (SAM) reads it without rights on a key of this side
  #checkov:skip=CKV2_AWS_57:Slack and GitHub issue it and have no way to rotate it by machine

  name        = "ferryman/${var.platform}/${each.key}"
  description = "Put by hand: aws secretsmanager put-secret-value --secret-id ferryman/${var.platform}/${each.key}"
}

resource "aws_sesv2_email_identity" "this" {
  for_each = toset(var.mail_identities)

  email_identity = each.key
}
