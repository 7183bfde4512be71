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
    condition     = length(output.secret_arns) == 3 && { for use, arns in output.secret_arns_by_use : use => length(arns) } == { slack-webhook = 1, slack-bot-token = 0, slack-signing-secret = 1, github = 1 }
    error_message = "each secret is in the list of its use, and in no other: the approval pages may read what Slack signs with, and nothing else"
  }
  assert {
    condition     = aws_sesv2_email_identity.this["scr-platform.com"].email_identity == "scr-platform.com"
    error_message = "mail is sent from a verified domain"
  }
}
