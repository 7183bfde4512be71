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

variable "protected" {
  type        = bool
  description = "Set to true in production: a deleted secret can be restored for 30 days, and its name is taken until then."
}
