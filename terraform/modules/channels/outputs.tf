output "topic_arns" {
  description = "Channel → ARN of its topic."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }
}

output "secret_arns" {
  description = "Last part of the secret's name → its ARN."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
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
