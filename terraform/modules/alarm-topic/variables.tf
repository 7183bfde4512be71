variable "name" {
  type        = string
  description = "Name of the topic."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of a key that cloudwatch.amazonaws.com may use."
}

variable "emails" {
  type        = list(string)
  description = "Addresses that receive the alarms."
}
