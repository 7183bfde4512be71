output "topic_arns" {
  description = "Channel → ARN of its topic."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "secret_arns" {
  description = "Last part of the secret's name → its ARN."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "signing_secret_arns" {
  description = "ARNs of Slack's signing secrets, recognized by the suffix of their names. The public approval pages can read only these."
  value       = [for name, secret in aws_secretsmanager_secret.this : secret.arn if endswith(name, "signing-secret")]
}

output "mail_identity_arns" {
  description = "ARNs of the SES identities that mail is sent from."
  value       = [for identity in aws_sesv2_email_identity.this : identity.arn]
}
