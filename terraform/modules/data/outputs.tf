output "database" {
  description = "What tasks need to connect: host, port, name, and the secret of RDS (JSON with username and password)."
  value = {
    host       = aws_db_instance.this.address
    port       = aws_db_instance.this.port
    name       = var.database_name
    secret_arn = aws_db_instance.this.master_user_secret[0].secret_arn
    identifier = aws_db_instance.this.identifier
  }
}

output "redis_url_secret_arn" {
  description = "ARN of the secret that contains REDIS_URL."
  value       = aws_secretsmanager_secret.redis_url.arn
}

output "redis_id" {
  description = "Id of the replication group, for metrics."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "files_bucket" {
  description = "Name of the bucket for the platform's files."
  value       = { name = aws_s3_bucket.files.bucket, arn = aws_s3_bucket.files.arn }
}
