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
  description = "How long the containers' logs are kept."
}

variable "services" {
  type        = map(string)
  description = "Component → name of its service."
}

variable "alb_arn_suffix" {
  type        = string
  description = "The load balancer, as metrics name it."
}

variable "target_group_arn_suffixes" {
  type        = map(string)
  description = "Component → target group, as metrics name it."
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
  description = "Key that encrypts logs and alarms."
}

variable "alarm_emails" {
  type        = list(string)
  description = "Who hears of alarms by mail; each has to confirm once."
}
