output "prefix" {
  description = "Prefix of all names in the environment: PLATFORM-ENVIRONMENT. Also the cluster's name."
  value       = local.prefix
}

output "cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = "${local.ecs}:cluster/${local.prefix}"
}

output "repositories" {
  description = "Component → name of its ECR repository."
  value       = local.repositories
}

output "repository_arns" {
  description = "Component → ARN of its ECR repository."
  value       = { for c, name in local.repositories : c => "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${name}" }
}

output "repository_urls" {
  description = "Component → URL that its images are pulled from, without a tag."
  value       = { for c, name in local.repositories : c => "${local.registry}/${name}" }
}

output "services" {
  description = "Component → name of its service, which is also the name of its family."
  value       = local.services
}

output "migration" {
  description = "Family of the migration."
  value       = local.migration
}

output "migration_task_definition_arn" {
  description = "ARN pattern of all revisions of the migration's family, for policies."
  value       = "${local.ecs}:task-definition/${local.migration}:*"
}

output "families" {
  description = "All families: those of the services and of the migration."
  value       = local.families
}

output "task_roles" {
  description = "Family → name of its task role."
  value       = local.task_roles
}

output "execution_roles" {
  description = "Family → name of its execution role."
  value       = local.execution_roles
}

output "pass_role_arns" {
  description = "ARNs of all task and execution roles. The operator can pass only these to ECS."
  value       = [for name in concat(values(local.task_roles), values(local.execution_roles)) : "${local.iam}:role/${name}"]
}

output "log_groups" {
  description = "Family → name of its log group."
  value       = local.log_groups
}

output "log_group_arns" {
  description = "ARN patterns of the containers' log groups and their streams, for policies."
  value       = [for name in values(local.log_groups) : "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${name}:*"]
}
