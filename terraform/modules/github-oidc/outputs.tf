output "role_arns" {
  description = "push: for the workflow that builds images. tag: for the workflow of a version tag."
  value       = { for name, role in aws_iam_role.ci : name => role.arn }
}
