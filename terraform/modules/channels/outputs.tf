output "topic_arns" {
  description = "Channel → ARN of its topic."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "secret_arns" {
  description = "Last part of the secret's name → its ARN."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
