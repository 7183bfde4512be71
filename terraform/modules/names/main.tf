# Only naming conventions: no resource, no data source. All roots use them, so that `shared` can list for the operator
# what `platform` and `environment` create, whether it exists already or not. tests/terraform/test_worlds.py compares them.
locals {
  prefix = "${var.platform}-${var.environment}"

  # The family of a service has the service's name. The migration is a family without a service.
  services  = { for c in var.components : c => "${var.platform}-${c}-${var.environment}" }
  migrating = coalesce(var.migration_component, contains(var.components, "api") ? "api" : var.components[0])
  migration = "${var.platform}-${local.migrating}-migrate-${var.environment}"
  families  = concat(values(local.services), [local.migration])

  task_roles      = { for f in local.families : f => "${f}-task" }
  execution_roles = { for f in local.families : f => "${f}-execution" }
  role_path       = "/ferryman/${var.platform}/${var.environment}/"
  log_groups      = { for f in local.families : f => "/ecs/${f}" }

  repositories = { for c in var.components : c => "${var.platform}-${c}" }
  registry     = "${var.account_id}.dkr.ecr.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"

  here = "${var.region}:${var.account_id}"
  ecs  = "arn:${var.partition}:ecs:${local.here}"
  iam  = "arn:${var.partition}:iam::${var.account_id}"
}
