variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "secret_prefix" {
  type        = string
  description = "Beginning of the secrets' names: PLATFORM/ENVIRONMENT."
}

variable "database_name" {
  type        = string
  description = "Name of the database, and of its first user."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets."
}

variable "security_group_id" {
  type        = string
  description = "Group of the database and the cache."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts everything here."
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
  description = "true in production: a standby in another zone, longer backups, no deletion without a last snapshot."
}

variable "redis_token_version" {
  type        = number
  default     = 1
  description = "Raise it to generate a new token for Redis."
}

variable "password_rotation_days" {
  type        = number
  default     = 365
  description = "How often RDS rotates the master password, 1 to 1000 days. Tasks read it at their start, so they have to be started again."

  validation {
    condition     = var.password_rotation_days >= 1 && var.password_rotation_days <= 1000
    error_message = "password_rotation_days must be from 1 to 1000; Secrets Manager takes nothing else."
  }
}
