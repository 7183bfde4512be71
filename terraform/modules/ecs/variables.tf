variable "cluster_name" {
  type        = string
  description = "Name of the cluster, and of the Service Connect namespace."
}

variable "image_tag" {
  type        = string
  description = "Image tag in the base task definitions. The operator replaces it with a digest."
}

variable "cpu_architecture" {
  type        = string
  default     = "X86_64"
  description = "CPU architecture of the images: X86_64 or ARM64."

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture must be X86_64 or ARM64."
  }
}

variable "services" {
  type = map(object({
    family           = string
    repository_url   = string
    repository_arn   = string
    task_role        = string
    execution_role   = string
    log_group        = string
    port             = number
    cpu              = number
    memory           = number
    count            = number
    health_command   = list(string)
    target_group_arn = optional(string)
    discoverable     = bool
    environment      = map(string)
    secrets          = map(string)
    scratch          = optional(list(string), ["/tmp"])
    task_policy      = optional(string)
    has_task_policy  = optional(bool, false)
  }))
  description = "Component → its service. A service with a target group is behind the load balancer. A discoverable service can be reached under its component's name from inside the network."
}

variable "migration" {
  type = object({
    family         = string
    component      = string
    task_role      = string
    execution_role = string
    log_group      = string
    command        = list(string)
    secrets        = map(string)
  })
  description = "One-off task that migrates the database with a component's image."
}

variable "autoscaling" {
  type        = map(object({ min = number, max = number, cpu_percent = number }))
  default     = {}
  description = "Component → minimum and maximum task count, and target CPU utilization."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Ids of the private subnets."
}

variable "security_group_id" {
  type        = string
  description = "Id of the security group of all tasks."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts the secrets."
}

variable "role_path" {
  type        = string
  default     = null
  description = "Path of all roles: /ferryman/PLATFORM/ENVIRONMENT/; null: the default path, /. Changing it replaces every role."
}
