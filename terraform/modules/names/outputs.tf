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

output "role_path" {
  description = "Path of the task and execution roles; null: the default path, /."
  value       = var.roles_below_path ? local.role_path : null
}

output "pass_role_arns" {
  description = "All task and execution roles, for policies: below their path, or one by one. The operator can pass only these to ECS."
  value = var.roles_below_path ? ["${local.iam}:role${local.role_path}*"] : [
    for name in concat(values(local.task_roles), values(local.execution_roles)) : "${local.iam}:role/${name}"
  ]
}

output "log_groups" {
  description = "Family → name of its log group."
  value       = local.log_groups
}

output "of_platform" {
  description = "ARN patterns of what the platform has in all its environments, for policies. One pattern for each kind, because a policy has no room for every service."
  value = {
    repositories = "arn:${var.partition}:ecr:${local.here}:repository/${var.platform}-*"
    migrations   = "${local.ecs}:task-definition/${var.platform}-*-migrate-*:*"
    log_groups   = "arn:${var.partition}:logs:${local.here}:log-group:/ecs/${var.platform}-*:*"
    # Ferryman reads a secret for the use in its name only. Secrets Manager adds six characters to the name.
    secrets = {
      for use in ["slack-webhook", "slack-bot-token", "slack-signing-secret", "github"] :
      use => "arn:${var.partition}:secretsmanager:${local.here}:secret:ferryman/${var.platform}/${use}-*"
    }
  }
}

output "topic_arns" {
  description = "Channel of type sns → ARN of its topic."
  value       = { for name in var.topics : name => "arn:${var.partition}:sns:${local.here}:${var.platform}-${name}" }
}

output "mail_identity_arns" {
  description = "ARNs of the SES identities that mail is sent from."
  value       = [for name in var.mail_identities : "arn:${var.partition}:ses:${local.here}:identity/${name}"]
}
