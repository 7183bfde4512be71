output "repository_urls" {
  description = "URLs that CI pushes to."
  value       = module.ecr.urls
}

output "ci_role_arns" {
  description = "ARNs of the roles for GitHub's workflows: role-to-assume of aws-actions/configure-aws-credentials."
  value       = module.github_oidc.role_arns
}

output "operator_parameters" {
  description = "SSM parameters that the operator's SAM template reads."
  value       = module.operator.parameters
}

output "access_parameters" {
  description = "SSM parameter with the roles that the platform grants."
  value       = module.access.parameters
}

output "document_parameters" {
  description = "SSM parameters that the platform document can refer to in every environment."
  value       = module.document.parameters
}

output "alarm_topic_arn" {
  description = "ARN of the topic of the operator's own alarms."
  value       = module.alarm_topic.arn
}

output "dkim_records" {
  description = "DNS records (CNAME) that prove to SES whose the mail domains are: name → value. Without them, SES sends no mail from these domains."
  value       = module.channels.dkim_records
}
