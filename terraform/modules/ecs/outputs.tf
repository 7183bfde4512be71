output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "task_definition_arns" {
  description = "Family → ARN of its base task definition, including the revision."
  value       = { for family, definition in aws_ecs_task_definition.base : family => definition.arn }
}

output "service_names" {
  description = "Component → name of its service."
  value       = { for component, service in aws_ecs_service.this : component => service.name }
}

output "desired_counts" {
  description = "Component → initial task count of its service."
  value       = { for component, service in aws_ecs_service.this : component => service.desired_count }
}
