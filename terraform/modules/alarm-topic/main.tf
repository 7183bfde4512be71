# Where the operator's own alarms go. Alarms cannot publish to a topic under alias/aws/sns, so the key is one of this account.

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.kms_key_arn
}

# Each address gets a mail with a link, and hears nothing before it is confirmed.
resource "aws_sns_topic_subscription" "this" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}
