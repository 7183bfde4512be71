output "topic_arns" {
  description = "Channel → ARN of its topic."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "secret_arns" {
  description = "Secret's last name → its ARN."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "signing_secret_arns" {
  description = "ARNs of the secrets that Slack signs with, told by the end of their name: all that the public approval pages may read."
  value       = [for name, secret in aws_secretsmanager_secret.this : secret.arn if endswith(name, "signing-secret")]
}

output "mail_identity_arns" {
  description = "ARNs of the identities that mail is sent from."
  value       = [for identity in aws_sesv2_email_identity.this : identity.arn]
}
