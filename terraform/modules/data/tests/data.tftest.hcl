provider "aws" {
  region = "eu-west-1"
}

variables {
  name              = "scr-staging"
  secret_prefix     = "scr/staging"
  database_name     = "scr"
  subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_id = "sg-0123456789abcdef0"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  db_instance_class = "db.t4g.medium"
  redis_node_type   = "cache.t4g.micro"
  protected         = false
}

run "postgresql" {
  command = plan

  assert {
    condition     = aws_db_instance.this.engine == "postgres" && aws_db_instance.this.engine_version == "16"
    error_message = "PostgreSQL 16, newest minor version"
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password == true && aws_db_instance.this.password == null
    error_message = "AWS generates the password and keeps it; Terraform never sees it"
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "encrypted, and reached from inside only"
  }
  assert {
    condition     = contains([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"], "1")
    error_message = "connections are encrypted"
  }
  assert {
    condition     = !aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 7 && !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot
    error_message = "staging: one zone, a week of backups, thrown away without ceremony"
  }
  assert {
    condition     = aws_s3_bucket.files.force_destroy && aws_secretsmanager_secret.redis_token.recovery_window_in_days == 0 && aws_secretsmanager_secret.redis_url.recovery_window_in_days == 0 && aws_elasticache_replication_group.this.final_snapshot_identifier == null
    error_message = "nothing in staging stops a destroy, or keeps a name from being used again"
  }
}

run "redis" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled
    error_message = "encrypted on the way and at rest"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && aws_elasticache_replication_group.this.auth_token_wo_version == 1
    error_message = "the token is write-only"
  }
  assert {
    condition     = aws_secretsmanager_secret_version.redis_url.secret_string == null && aws_secretsmanager_secret_version.redis_token.secret_string == null
    error_message = "so are the secrets that hold it"
  }
  assert {
    condition     = startswith(aws_elasticache_replication_group.this.engine_version, "7.") && aws_elasticache_replication_group.this.num_cache_clusters == 1
    error_message = "Redis 7, one node in staging"
  }
}

run "files" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.files.block_public_acls, aws_s3_bucket_public_access_block.files.block_public_policy,
      aws_s3_bucket_public_access_block.files.ignore_public_acls, aws_s3_bucket_public_access_block.files.restrict_public_buckets,
    ])
    error_message = "the bucket is closed to the public"
  }
  assert {
    condition     = aws_s3_bucket_versioning.files.versioning_configuration[0].status == "Enabled"
    error_message = "what is overwritten by mistake can be had back"
  }
}

run "production" {
  command = plan
  variables {
    name      = "scr-production"
    protected = true
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 30
    error_message = "a standby in another zone, a month of backups"
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "scr-production-final" && !aws_db_instance.this.delete_automated_backups
    error_message = "it can't be lost by a destroy"
  }
  assert {
    condition     = !aws_s3_bucket.files.force_destroy && aws_secretsmanager_secret.redis_token.recovery_window_in_days == 30 && aws_secretsmanager_secret.redis_url.recovery_window_in_days == 30 && aws_elasticache_replication_group.this.final_snapshot_identifier == "scr-production-final"
    error_message = "neither can files, secrets and what Redis holds"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "a second node takes over"
  }
}

run "rotation_is_rare_and_not_at_once" {
  command = plan

  assert {
    condition     = aws_secretsmanager_secret_rotation.database.rotation_rules[0].automatically_after_days == 365 && !aws_secretsmanager_secret_rotation.database.rotate_immediately
    error_message = "RDS's own seven days would lock running tasks out every week"
  }
}

run "refuses_rotation_that_aws_refuses" {
  command = plan
  variables {
    password_rotation_days = 5000
  }
  expect_failures = [var.password_rotation_days]
}
