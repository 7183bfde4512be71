output "role_arns" {
  description = "ARNs of the roles. push: for the workflow that builds images. tag: for the workflow that runs on a semver tag."
  value       = { for name, role in aws_iam_role.ci : name => role.arn }
}
