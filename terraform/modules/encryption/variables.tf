variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "protected" {
  type        = bool
  default     = true
  description = "Whether what the key encrypts counts as production: 30 days instead of 7 to change one's mind after a deletion."
}
