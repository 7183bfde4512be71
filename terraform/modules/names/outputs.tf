output "prefix" {
  description = "What everything in the environment is called: PLATFORM-ENVIRONMENT. Also the cluster's name."
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
  description = "Component → what its images are pulled from, without a tag."
  value       = { for c, name in local.repositories : c => "${local.registry}/${name}" }
}

output "services" {
  description = "Component → name of its service, which is its family too."
  value       = local.services
}

output "migration" {
  description = "Family of the migration."
  value       = local.migration
}

output "migration_task_definition_arn" {
  description = "Every revision of the migration's family, as a policy names it."
  value       = "${local.ecs}:task-definition/${local.migration}:*"
}

output "families" {
  description = "All families: the services' and the migration's."
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
  description = "ARNs of all task and execution roles: what the operator may pass to ECS, and nothing else."
  value       = [for name in concat(values(local.task_roles), values(local.execution_roles)) : "${local.iam}:role/${name}"]
}

output "log_groups" {
  description = "Family → name of its log group."
  value       = local.log_groups
}

output "log_group_arns" {
  description = "ARNs of the containers' log groups, as a policy on their streams names them."
  value       = [for name in values(local.log_groups) : "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${name}:*"]
}
