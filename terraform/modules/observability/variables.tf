variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT. Also the cluster's name."
}

variable "log_groups" {
  type        = map(string)
  description = "Family → name of its log group."
}

variable "retention_days" {
  type        = number
  description = "How long the containers' logs are kept, in days."
}

variable "services" {
  type        = map(string)
  description = "Component → name of its service."
}

variable "alb_arn_suffix" {
  type        = string
  description = "The load balancer, as it is named in metrics."
}

variable "target_group_arn_suffixes" {
  type        = map(string)
  description = "Component → target group, as it is named in metrics."
}

variable "database_id" {
  type        = string
  description = "Identifier of the RDS instance."
}

variable "redis_id" {
  type        = string
  description = "Id of the Redis replication group."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts logs and alarms."
}

variable "alarm_emails" {
  type        = list(string)
  description = "Mail addresses that receive alarms. Each recipient must confirm the subscription once."
}

variable "protected" {
  type        = bool
  description = "Set to true in production: the log groups are protected from deletion."
}
