output "arns" {
  description = "Environment variable → ARN of its secret."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
