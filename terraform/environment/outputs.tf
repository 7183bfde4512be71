output "urls" {
  description = "URLs for people and smoke tests."
  value       = { api = "https://${local.api_host}", web = "https://${local.web_host}" }
}

output "load_balancer" {
  description = "DNS name that the records of both host names point to."
  value       = module.alb.dns_name
}

output "cluster" {
  description = "Name of the cluster, as in the platform document."
  value       = module.ecs.cluster_name
}

output "document_parameters" {
  description = "SSM parameters that the platform document can refer to for this environment."
  value       = module.operator.parameters
}

output "secrets_to_fill" {
  description = "Secrets whose values a person must set before the first task can start."
  value       = module.secrets.arns
}
