locals {
  # These rules rely on what ECR guarantees ("How lifecycle policies work"):
  # - An image that matches the tags of one rule cannot be expired by a rule with a higher number. So a rule that matches
  #   the tags of running images, and never expires anything itself, protects them from all later rules.
  # - If a rule has several patterns, *all* of them must match, so each protected pattern has a rule of its own.
  # - The rule that keeps the last 20 images also counts protected ones.
  # - Images that an index refers to (platforms, attestations) are untagged and cannot be expired before the index.
  never     = 9999 # rules cannot say "keep all", so keep more images than any repository has for one of these patterns
  protected = concat([for suffix in var.moving_tag_suffixes : "*${suffix}"], ["v*.*.*"])

  rules = concat(
    [
      for i, pattern in local.protected : {
        rulePriority = 10 + i
        description  = "Never expire ${pattern}: it runs, or a rollback needs it"
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
  #checkov:skip=CKV_AWS_51:immutable except for the moving tags (IMMUTABLE_WITH_EXCLUSION, which this check does not know)
  for_each = toset(var.repositories)

  name         = each.key
  force_delete = false

  # A sha or a semver tag always names the same image; only moving tags can be moved.
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

  # The AWS-managed key: IAM alone decides who can pull, and nobody needs permissions on a key.
  encryption_configuration {
    encryption_type = "KMS"
  }

  lifecycle {
    prevent_destroy = true # production runs these images, and they cannot be restored
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy     = jsonencode({ rules = local.rules })
}
