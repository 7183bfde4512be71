output "urls" {
  description = "Where people and smoke tests go."
  value       = { api = "https://${local.api_host}", web = "https://${local.web_host}" }
}

output "load_balancer" {
  description = "What the records of both host names point at."
  value       = module.alb.dns_name
}

output "cluster" {
  description = "Name of the cluster, as in the platform document."
  value       = module.ecs.cluster_name
}

output "document_parameters" {
  description = "The SSM parameters that the platform document may refer to for this environment."
  value       = module.operator.parameters
}

output "secrets_to_fill" {
  description = "Secrets whose value a person has to put before the first task can start."
  value       = module.secrets.arns
}
