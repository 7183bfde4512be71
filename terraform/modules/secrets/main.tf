# Containers of secrets that others issue (Clerk, Anthropic). Terraform makes the container and its rights, a person puts
# the value: so no state, no plan and no variable file ever holds it.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:issued by others who have no way to rotate it by machine; the README says how to change one
  for_each = var.names

  name                    = "${var.prefix}/${each.value}"
  description             = "${each.key}. Put by hand: aws secretsmanager put-secret-value --secret-id ${var.prefix}/${each.value}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}
