variable "path" {
  type        = string
  description = "Where the parameters are: /ferryman/operator, /ferryman/PLATFORM/channels or /ferryman/PLATFORM/ENVIRONMENT."

  validation {
    condition     = can(regex("^/ferryman(/[a-z0-9-]+)+$", var.path))
    error_message = "The path must begin with /ferryman/ and not end with a slash: the operator may read nothing else."
  }
}

variable "texts" {
  type        = map(string)
  default     = {}
  description = "Last part of the name → value of a parameter of type String."
}

variable "lists" {
  type        = map(list(string))
  default     = {}
  description = "Last part of the name → values of a parameter of type StringList."

  validation {
    condition     = alltrue([for name, values in var.lists : length(values) > 0])
    error_message = "Lists must not be empty, SSM has no empty StringList: ${join(", ", [for name, values in var.lists : name if length(values) == 0])}."
  }
  validation {
    condition     = alltrue([for values in values(var.lists) : alltrue([for value in values : !strcontains(value, ",")])])
    error_message = "A value of a StringList must not contain a comma, SSM would read it as two values."
  }
  validation {
    condition     = alltrue([for values in values(var.lists) : length(join(",", values)) <= 4096])
    error_message = "A list is longer than the 4,096 characters that a standard parameter holds; split the platform, or set the tier to Advanced."
  }
}
