# PostgreSQL, Redis, files. No variable, plan or state contains a password: RDS generates and stores its own, and the Redis
# token goes from Secrets Manager's generator to Secrets Manager and ElastiCache as a write-only value.

data "aws_caller_identity" "current" {}

# ─── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement" # logs CREATE, ALTER and DROP, which migrations run
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:a standby in production; staging can be down for the minutes that a restore takes
  #checkov:skip=CKV_AWS_293:on in production, off in staging, which people delete and recreate
  #checkov:skip=CKV_AWS_118:Performance Insights shows what runs; enhanced monitoring would add a role and a bill
  identifier     = var.name
  engine         = "postgres"
  engine_version = "16"
  instance_class = var.db_instance_class

  db_name  = var.database_name
  username = var.database_name
  # RDS generates the password and stores it in a secret of its own.
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key_arn
  iam_database_authentication_enabled = true

  storage_type          = "gp3"
  allocated_storage     = 20
  max_allocated_storage = 200
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  multi_az               = var.protected

  backup_retention_period   = var.protected ? 30 : 7
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.protected
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name}-final" : null

  auto_minor_version_upgrade      = true
  apply_immediately               = false
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
}

# By default, RDS rotates every 7 days. Containers read secrets only when they start, so an unexpected rotation would lock
# them out. Rotate rarely, and run `ferryman redeploy` afterwards (README, "Secrets").
resource "aws_secretsmanager_secret_rotation" "database" {
  #checkov:skip=CKV_AWS_304:rare on purpose, see above; password_rotation_days changes it
  secret_id          = aws_db_instance.this.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.password_rotation_days
  }
}

# ─── Redis ────────────────────────────────────────────────────────────────────────────────────────────────────────────

ephemeral "aws_secretsmanager_random_password" "redis" {
  password_length     = 48
  exclude_punctuation = true # it becomes part of a URL
}

resource "aws_secretsmanager_secret" "redis_token" {
  #checkov:skip=CKV2_AWS_57:rotated by raising redis_token_version; ElastiCache and the URL follow in the same apply
  name                    = "${var.secret_prefix}/redis-token"
  description             = "Redis token; Terraform generates it and does not store it"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "redis_token" {
  secret_id                = aws_secretsmanager_secret.redis_token.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.redis.random_password
  secret_string_wo_version = var.redis_token_version
}

# Everything else reads the token back: after an interrupted apply, the next one finds the same token and not a new one.
ephemeral "aws_secretsmanager_secret_version" "redis_token" {
  secret_id  = aws_secretsmanager_secret_version.redis_token.secret_id
  version_id = aws_secretsmanager_secret_version.redis_token.version_id
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV_AWS_31:the token is set with the write-only auth_token_wo, which this check does not know
  #checkov:skip=CKV2_AWS_50:automatic failover in production; staging has one node
  replication_group_id = var.name
  description          = "Redis of ${var.name}"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.redis_node_type
  port                 = 6379

  num_cache_clusters         = var.protected ? 2 : 1
  automatic_failover_enabled = var.protected
  multi_az_enabled           = var.protected

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  auth_token_wo              = ephemeral.aws_secretsmanager_secret_version.redis_token.secret_string
  # A new token is added beside the old one (ROTATE, the provider's default), so running tasks keep working.
  auth_token_wo_version = var.redis_token_version

  snapshot_retention_limit   = var.protected ? 7 : 1
  final_snapshot_identifier  = var.protected ? "${var.name}-final" : null
  snapshot_window            = "01:00-02:00"
  maintenance_window         = "sun:04:30-sun:05:30"
  auto_minor_version_upgrade = true
}

resource "aws_secretsmanager_secret" "redis_url" {
  #checkov:skip=CKV2_AWS_57:follows redis_token_version
  name                    = "${var.secret_prefix}/redis-url"
  description             = "REDIS_URL, including the token; Terraform writes it and does not store it"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "redis_url" {
  secret_id                = aws_secretsmanager_secret.redis_url.id
  secret_string_wo         = "rediss://:${ephemeral.aws_secretsmanager_secret_version.redis_token.secret_string}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0"
  secret_string_wo_version = var.redis_token_version
}

# ─── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_s3_bucket" "files" {
  #checkov:skip=CKV_AWS_18:the API records who reads which file; the bucket has no other reader
  #checkov:skip=CKV_AWS_144:one region, like the rest of the platform; versions protect against mistakes
  #checkov:skip=CKV2_AWS_62:nothing processes uploads as they arrive
  bucket        = "${var.name}-files-${data.aws_caller_identity.current.account_id}"
  force_destroy = !var.protected # otherwise, a bucket that is not empty stops a destroy
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    id     = "old-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.files]
}

data "aws_iam_policy_document" "files" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id
  policy = data.aws_iam_policy_document.files.json

  depends_on = [aws_s3_bucket_public_access_block.files]
}
