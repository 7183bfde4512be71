output "repository_urls" {
  description = "URLs that CI pushes to."
  value       = module.ecr.urls
}

output "ci_role_arns" {
  description = "ARNs of the roles for GitHub's workflows: role-to-assume of aws-actions/configure-aws-credentials."
  value       = module.github_oidc.role_arns
}

output "access_parameters" {
  description = "SSM parameter with the roles that the platform grants."
  value       = module.access.parameters
}

output "document_parameters" {
  description = "SSM parameters that the platform document can refer to in every environment."
  value       = module.document.parameters
}

output "dkim_records" {
  description = "DNS records (CNAME) that prove to SES whose the mail domains are: name → value. Without them, SES sends no mail from these domains."
  value       = module.channels.dkim_records
}
