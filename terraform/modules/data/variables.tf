variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "secret_prefix" {
  type        = string
  description = "Prefix of the secrets' names: PLATFORM/ENVIRONMENT."
}

variable "database_name" {
  type        = string
  description = "Name of the database and of its master user."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Ids of the private subnets."
}

variable "security_group_id" {
  type        = string
  description = "Id of the security group of the database and the cache."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts all data of this module."
}

variable "db_instance_class" {
  type        = string
  description = "RDS instance class."
}

variable "redis_node_type" {
  type        = string
  description = "ElastiCache node type."
}

variable "protected" {
  type        = bool
  description = "Set to true in production: a standby in another zone, longer backups, no deletion without a final snapshot, secrets that can be restored, and files that stop a destroy."
}

variable "redis_token_version" {
  type        = number
  default     = 1
  description = "Version of the Redis token. Raise it to generate a new token."
}

variable "password_rotation_days" {
  type        = number
  default     = 365
  description = "How often RDS rotates the master password, 1 to 1000 days. Tasks read it when they start, so they must be restarted after a rotation."

  validation {
    condition     = var.password_rotation_days >= 1 && var.password_rotation_days <= 1000
    error_message = "password_rotation_days must be from 1 to 1000, the range that Secrets Manager accepts."
  }
}
