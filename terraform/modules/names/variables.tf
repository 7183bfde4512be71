variable "platform" {
  type        = string
  description = "Name of the platform, as in metadata.name of the platform document."
}

variable "environment" {
  type        = string
  description = "Name of the environment, as in the platform document."
}

variable "components" {
  type        = list(string)
  default     = ["api", "ai-gateway", "web"]
  description = "Components of the platform. Each has one repository, and one service per environment."
}

variable "migration_component" {
  type        = string
  default     = null
  description = "Component whose image migrates the database. By default api, or the first component if there is no api."

  validation {
    condition     = var.migration_component == null || contains(var.components, coalesce(var.migration_component, "none"))
    error_message = "migration_component must be one of the components: ${join(", ", var.components)}."
  }
}

variable "roles_below_path" {
  type        = bool
  default     = false
  description = "Whether task and execution roles have the path /ferryman/PLATFORM/ENVIRONMENT/. Changing it replaces every role."
}

variable "topics" {
  type        = list(string)
  default     = []
  description = "Names of the channels of type sns."
}

variable "mail_identities" {
  type        = list(string)
  default     = []
  description = "Domains or addresses that mail is sent from."
}

variable "partition" {
  type        = string
  description = "AWS partition: aws, aws-cn or aws-us-gov."
}

variable "region" {
  type        = string
  description = "AWS region."
}

variable "account_id" {
  type        = string
  description = "AWS account id, twelve digits."
}
