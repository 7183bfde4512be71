output "topic_arns" {
  description = "Channel → ARN of its topic."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "secret_arns" {
  description = "Last part of the secret's name → its ARN."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "secret_arns_by_use" {
  description = "Beginning of the secret's name → ARNs of these secrets. Ferryman reads a secret for the use in its name only, and a function can read only the uses that it needs: the public approval pages slack-signing-secret."
  value = {
    for use in ["slack-webhook", "slack-bot-token", "slack-signing-secret", "github"] : use => [
      for name, secret in aws_secretsmanager_secret.this : secret.arn if name == use || startswith(name, "${use}-")
    ]
  }
}

output "mail_identity_arns" {
  description = "ARNs of the SES identities that mail is sent from."
  value       = [for identity in aws_sesv2_email_identity.this : identity.arn]
}

output "dkim_records" {
  description = "Name → value of the CNAME records of the domains among the mail identities."
  value = merge([
    for identity in aws_sesv2_email_identity.this : {
      for token in flatten(identity.dkim_signing_attributes[*].tokens) :
      "${token}._domainkey.${identity.email_identity}" => "${token}.dkim.amazonses.com"
    } if !strcontains(identity.email_identity, "@")
  ]...)
}
