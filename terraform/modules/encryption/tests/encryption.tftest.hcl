provider "aws" {
  region = "eu-west-1"
}

variables {
  name = "scr-staging"
}

run "outside_production" {
  command = plan
  variables {
    protected = false
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 7
    error_message = "as soon as AWS allows"
  }
}

run "key" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "rotated, and 30 days to change one's mind"
  }
  assert {
    condition     = aws_kms_alias.this.name == "alias/scr-staging"
    error_message = "people find it by the environment's name"
  }
  assert {
    condition     = toset([for s in jsondecode(data.aws_iam_policy_document.key.json).Statement : try(s.Principal.Service, split(":", s.Principal.AWS)[5])]) == toset(["root", "logs.eu-west-1.amazonaws.com", "cloudwatch.amazonaws.com"])
    error_message = "the account, the log service of this region, alarms"
  }
  assert {
    condition     = alltrue([for s in jsondecode(data.aws_iam_policy_document.key.json).Statement : can(s.Condition) if can(s.Principal.Service)])
    error_message = "services use it for this account only"
  }
}
