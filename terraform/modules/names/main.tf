# Only naming conventions: no resource, no data source. Both roots use them, so that `shared` can list for the operator
# what `environment` creates, whether it exists already or not. tests/terraform/test_worlds.py compares the two.
locals {
  prefix = "${var.platform}-${var.environment}"

  # The family of a service has the service's name. The migration is a family without a service.
  services  = { for c in var.components : c => "${var.platform}-${c}-${var.environment}" }
  migration = "${var.platform}-${var.migration_component}-migrate-${var.environment}"
  families  = concat(values(local.services), [local.migration])

  task_roles      = { for f in local.families : f => "${f}-task" }
  execution_roles = { for f in local.families : f => "${f}-execution" }
  log_groups      = { for f in local.families : f => "/ecs/${f}" }

  repositories = { for c in var.components : c => "${var.platform}-${c}" }
  registry     = "${var.account_id}.dkr.ecr.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"

  ecs = "arn:${var.partition}:ecs:${var.region}:${var.account_id}"
  iam = "arn:${var.partition}:iam::${var.account_id}"
}
