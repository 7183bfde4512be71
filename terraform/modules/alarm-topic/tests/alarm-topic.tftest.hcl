provider "aws" {
  region = "eu-west-1"
}

variables {
  name        = "ferryman-operator-alarms"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  emails      = ["ops@scr-platform.com", "ada@scr-platform.com"]
}

run "alarms_can_publish_and_somebody_hears_them" {
  command = plan

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "Alarms cannot publish to a topic under alias/aws/sns."
  }
  assert {
    condition     = toset([for one in aws_sns_topic_subscription.this : one.endpoint]) == toset(var.emails)
    error_message = "Each address is subscribed."
  }
}
