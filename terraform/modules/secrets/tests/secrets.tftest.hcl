provider "aws" {
  region = "eu-west-1"
}

variables {
  prefix      = "scr/staging"
  names       = { CLERK_SECRET_KEY = "clerk-secret-key", ANTHROPIC_API_KEY = "anthropic-api-key" }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  protected   = false
}

run "containers" {
  command = plan

  assert {
    condition     = { for name, secret in aws_secretsmanager_secret.this : name => secret.name } == { CLERK_SECRET_KEY = "scr/staging/clerk-secret-key", ANTHROPIC_API_KEY = "scr/staging/anthropic-api-key" }
    error_message = "named by platform and environment"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.kms_key_arn && secret.recovery_window_in_days == 0])
    error_message = "encrypted with the environment's key, and gone at once when it is destroyed, so that the name is free"
  }
}

run "production" {
  command = plan
  variables {
    protected = true
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.recovery_window_in_days == 30])
    error_message = "a deleted secret can be restored for 30 days"
  }
}
