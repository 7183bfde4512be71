# The naming conventions, and nothing else: no resource, no data source. Both roots read them here, so that `shared` can
# list for the operator what `environment` will make, before or after it is made. tests/terraform/test_worlds.py holds
# the two together.
locals {
  prefix = "${var.platform}-${var.environment}"

  # Families of the services are the services' names. The migration is a family without a service.
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
