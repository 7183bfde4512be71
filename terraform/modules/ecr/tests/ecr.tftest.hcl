provider "aws" {
  region = "eu-west-1"
}

variables {
  repositories = ["scr-api", "scr-ai-gateway", "scr-web"]
}

run "repositories" {
  command = plan

  assert {
    condition     = toset(keys(aws_ecr_repository.this)) == toset(["scr-api", "scr-ai-gateway", "scr-web"]) && length(aws_ecr_lifecycle_policy.this) == 3
    error_message = "three repositories, each with its rules"
  }
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_scanning_configuration[0].scan_on_push && r.encryption_configuration[0].encryption_type == "KMS"])
    error_message = "scanned on push, encrypted"
  }
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION" && [for f in r.image_tag_mutability_exclusion_filter : f.filter] == ["*-latest", "*-current", "*-previous"]])
    error_message = "only tags that follow what runs may move"
  }
  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : !r.force_delete])
    error_message = "images of production are never deleted with their repository"
  }
}

# Whether these rules keep what they must is evaluated in tests/terraform/test_worlds.py; here: that they are the guide's.
run "lifecycle" {
  command = plan

  assert {
    condition     = [for r in jsondecode(aws_ecr_lifecycle_policy.this["scr-api"].policy).rules : r.selection.countNumber if try(r.selection.tagPatternList, []) == ["*"]] == [20]
    error_message = "the last 20 tagged images are kept"
  }
  assert {
    condition     = [for r in jsondecode(aws_ecr_lifecycle_policy.this["scr-api"].policy).rules : "${r.selection.countNumber} ${r.selection.countUnit}" if r.selection.tagStatus == "untagged"] == ["1 days"]
    error_message = "untagged images go after a day"
  }
  assert {
    condition = alltrue([
      for pattern in ["*-latest", "*-current", "*-previous", "v*.*.*"] : anytrue([
        for r in jsondecode(aws_ecr_lifecycle_policy.this["scr-api"].policy).rules :
        try(r.selection.tagPatternList, []) == [pattern] && r.selection.countNumber == 9999 && r.rulePriority < 90
      ])
    ])
    error_message = "each protected pattern has a rule of its own (patterns of one rule are ANDed), before those that delete"
  }
}

run "refuses_more_exclusions_than_ecr_takes" {
  command = plan
  variables {
    moving_tag_suffixes = ["-a", "-b", "-c", "-d", "-e", "-f"]
  }
  expect_failures = [var.moving_tag_suffixes]
}

run "refuses_to_keep_nothing" {
  command = plan
  variables {
    keep_tagged   = 0
    untagged_days = 0.5
  }
  expect_failures = [var.keep_tagged, var.untagged_days]
}
