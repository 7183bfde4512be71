variable "path" {
  type        = string
  description = "Path of the parameters: /ferryman/operator, /ferryman/operator/access, /ferryman/PLATFORM/channels or /ferryman/PLATFORM/ENVIRONMENT."

  validation {
    condition     = can(regex("^/ferryman(/[a-z0-9-]+)+$", var.path))
    error_message = "path must start with /ferryman/, because the operator can read only parameters there, and must not end with a slash."
  }
}

variable "texts" {
  type        = map(string)
  default     = {}
  description = "Parameters of type String: last part of the name → value."

  validation {
    condition     = alltrue([for value in values(var.texts) : length(value) <= 8192])
    error_message = "A value is longer than 8,192 characters, the limit of an advanced parameter: ${join(", ", [for name, value in var.texts : name if length(value) > 8192])}."
  }
}

variable "lists" {
  type        = map(list(string))
  default     = {}
  description = "Parameters of type StringList: last part of the name → values."

  validation {
    condition     = alltrue([for name, values in var.lists : length(values) > 0])
    error_message = "Lists must not be empty, because SSM has no empty StringList: ${join(", ", [for name, values in var.lists : name if length(values) == 0])}."
  }
  validation {
    condition     = alltrue([for values in values(var.lists) : alltrue([for value in values : !strcontains(value, ",")])])
    error_message = "A value of a StringList must not contain a comma, because SSM would read it as two values."
  }
  validation {
    condition     = alltrue([for values in values(var.lists) : length(join(",", values)) <= 4096])
    error_message = "A list is longer than 4,096 characters, the limit of a parameter of a CloudFormation stack: ${join(", ", [for name, values in var.lists : name if length(join(",", values)) > 4096])}. Name fewer things one by one: set roles_below_path for platforms that do not exist yet, and use patterns in job_arns and job_role_arns."
  }
}
