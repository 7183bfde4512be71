locals {
  # What ECR guarantees, and these rules rest on ("How lifecycle policies work"):
  # - An image that matches the tags of one rule can't be expired by a rule with a higher number. So a rule that matches
  #   the tags of what runs, and never expires anything itself, protects it from all rules after it.
  # - Several patterns in one rule must *all* match, so each protected pattern has a rule of its own.
  # - The rule that keeps the last 20 counts protected images too: of 20 kept ones some may be protected ones.
  # - What a kept index refers to (platforms, attestations) is untagged, and can't be expired before the index.
  never     = 9999 # rules have no "keep": keep this many, which no repository reaches under one of these patterns
  protected = concat([for suffix in var.moving_tag_suffixes : "*${suffix}"], ["v*.*.*"])

  rules = concat(
    [
      for i, pattern in local.protected : {
        rulePriority = 10 + i
        description  = "Never expire ${pattern}: it runs, or one would roll back to it"
        selection    = { tagStatus = "tagged", tagPatternList = [pattern], countType = "imageCountMoreThan", countNumber = local.never }
        action       = { type = "expire" }
      }
    ],
    [
      {
        rulePriority = 90
        description  = "Delete untagged images after ${var.untagged_days} day(s)"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
        action       = { type = "expire" }
      },
      {
        rulePriority = 100
        description  = "Keep the last ${var.keep_tagged} tagged images"
        selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = var.keep_tagged }
        action       = { type = "expire" }
      },
    ],
  )
}

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_51:immutable but for the tags that follow what runs (IMMUTABLE_WITH_EXCLUSION, which this check does not know)
  for_each = toset(var.repositories)

  name = each.key

  # A sha or a version names one image for ever; only the tags that follow what runs may move.
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"

  dynamic "image_tag_mutability_exclusion_filter" {
    for_each = var.moving_tag_suffixes
    content {
      filter      = "*${image_tag_mutability_exclusion_filter.value}"
      filter_type = "WILDCARD"
    }
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  # The key that AWS manages for ECR: who may pull is decided by IAM, and no puller needs rights on a key.
  encryption_configuration {
    encryption_type = "KMS"
  }

  lifecycle {
    prevent_destroy = true # production runs from here, and images can't be brought back
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy     = jsonencode({ rules = local.rules })
}
