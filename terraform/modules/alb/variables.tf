variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "vpc_id" {
  type        = string
  description = "VPC of the targets."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Public subnets."
}

variable "security_group_id" {
  type        = string
  description = "The load balancer's group."
}

variable "certificate_arn" {
  type        = string
  description = "ACM certificate of the HTTPS listener; covers both host names."
}

variable "api_host" {
  type        = string
  description = "Host name of which every path goes to the API."
}

variable "targets" {
  type = object({
    api = object({ port = number, path = string, matcher = string })
    web = object({ port = number, path = string, matcher = string })
  })
  description = "Port and health check of the two components that are reached from outside."
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the load balancer refuses to be deleted."
}

variable "log_days" {
  type        = number
  description = "How long access logs are kept."
}

variable "web_acl_arn" {
  type        = string
  default     = null
  description = "A WAF web ACL to put in front; none by default."
}
