# Secrets that others issue (Clerk, Anthropic). Terraform creates the secret and its permissions, and a person sets the
# value, so that no state, plan or variable file contains it.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:issued by others that offer no automatic rotation; the README describes how to set a value
  for_each = var.names

  name                    = "${var.prefix}/${each.value}"
  description             = "${each.key}. Set by hand: aws secretsmanager put-secret-value --secret-id ${var.prefix}/${each.value}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0 # 0: deleted at once, so that the name is free again
}
