variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}
