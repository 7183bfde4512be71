provider "aws" {
  region = "eu-west-1"
}

variables {
  platform        = "scr"
  topics          = ["team"]
  secrets         = ["slack-webhook", "slack-signing-secret", "github"]
  mail_identities = ["scr-platform.com"]
}

run "channels" {
  command = plan

  assert {
    condition     = aws_sns_topic.this["team"].name == "scr-team" && aws_sns_topic.this["team"].kms_master_key_id == "alias/aws/sns"
    error_message = "an encrypted topic per channel"
  }
  assert {
    condition     = aws_secretsmanager_secret.this["slack-webhook"].name == "ferryman/scr/slack-webhook"
    error_message = "a container per secret; its value comes from a person"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.recovery_window_in_days == 30])
    error_message = "production uses them, too: a deleted one can be restored"
  }
  assert {
    condition     = toset(keys(output.secret_arns)) == toset(["slack-webhook", "slack-signing-secret", "github"])
    error_message = "each secret that is named, and no other"
  }
  assert {
    condition     = aws_sesv2_email_identity.this["scr-platform.com"].email_identity == "scr-platform.com"
    error_message = "mail is sent from a verified domain"
  }
}
