variable "prefix" {
  type        = string
  description = "Prefix of the secrets' names: PLATFORM/ENVIRONMENT."
}

variable "names" {
  type        = map(string)
  description = "Environment variable of a container → last part of the name of its secret."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts the values."
}

variable "recovery_days" {
  type        = number
  description = "How long a deleted secret can be restored, 7 to 30 days."

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be from 7 to 30, the range that Secrets Manager accepts."
  }
}
