output "names" {
  description = "Names of the repositories."
  value       = [for repository in aws_ecr_repository.this : repository.name]
}

output "urls" {
  description = "Repository name → URL to push to."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}
