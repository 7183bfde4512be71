variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "vpc_id" {
  type        = string
  description = "Id of the VPC of the targets."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Ids of the public subnets."
}

variable "security_group_id" {
  type        = string
  description = "Id of the load balancer's security group."
}

variable "certificate_arn" {
  type        = string
  description = "ARN of the ACM certificate of the HTTPS listener. It must cover both host names."
}

variable "api_host" {
  type        = string
  description = "Host name of the API. Requests for every path of this host go to the API."
}

variable "targets" {
  type = object({
    api = object({ port = number, path = string, matcher = string })
    web = object({ port = number, path = string, matcher = string })
  })
  description = "Port and health check of the two components that are reachable from outside."
}

variable "protected" {
  type        = bool
  description = "Set to true in production: the load balancer is protected from deletion, and access logs stop a destroy."
}

variable "log_days" {
  type        = number
  description = "How long access logs are kept, in days."
}

variable "web_acl_arn" {
  type        = string
  default     = null
  description = "ARN of a WAF web ACL for the load balancer. Default: none."
}
