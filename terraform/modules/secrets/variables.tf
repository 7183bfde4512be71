variable "prefix" {
  type        = string
  description = "Beginning of the secrets' names: PLATFORM/ENVIRONMENT."
}

variable "names" {
  type        = map(string)
  description = "Environment variable that a container reads → last part of its secret's name."
}

variable "kms_key_arn" {
  type        = string
  description = "Key that encrypts the values."
}

variable "recovery_days" {
  type        = number
  description = "How long a deleted secret can be brought back, 7 to 30 days."

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be from 7 to 30; Secrets Manager takes nothing else."
  }
}
