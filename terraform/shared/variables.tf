variable "aws_region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS region. It must be the region of the environments."

  validation {
    condition     = can(regex("^[a-z]{2}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$", var.aws_region))
    error_message = "aws_region must be a region code, for example eu-west-1."
  }
}

variable "platforms" {
  type = map(object({
    environments     = optional(list(string), ["staging", "production"])
    components       = optional(list(string), ["api", "ai-gateway", "web"])
    topics           = optional(list(string), ["team"])
    mail_identities  = optional(list(string), [])
    job_arns         = optional(list(string), [])
    job_role_arns    = optional(list(string), [])
    roles_below_path = optional(bool, false)
  }))
  default     = { scr = {} }
  description = "Every platform that the operator serves in this account and region, by its name (metadata.name of its document): its environments, including those that do not exist yet; its components; its channels of type sns; the domains or addresses that it sends mail from; the jobs of its document and their roles; and whether its roles are below /ferryman/PLATFORM/ENVIRONMENT/. The other roots read the same file."

  validation {
    condition     = length(var.platforms) > 0 && alltrue([for name in keys(var.platforms) : can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", name)) && name != "operator"])
    error_message = "platforms must have names of 2 to 12 lowercase letters, digits and hyphens that start with a letter, because the name of a load balancer can have at most 32 characters. None can be operator, whose parameters are the operator's own."
  }
  validation {
    condition     = alltrue([for name in keys(var.platforms) : alltrue([for other in keys(var.platforms) : !startswith(other, "${name}-")])])
    error_message = "No platform's name can begin with another one's and a hyphen, because their resources could have the same names: component api-web of scr is scr-api-web, and so is component web of scr-api."
  }
  validation {
    condition     = alltrue([for platform in values(var.platforms) : length(platform.environments) > 0 && alltrue([for name in platform.environments : can(regex("^[a-z][a-z0-9-]{0,23}$", name))])])
    error_message = "environments of a platform must be names of environments as in its document, at least one."
  }
  validation {
    condition     = length(flatten(values(var.platforms)[*].mail_identities)) == length(distinct(flatten(values(var.platforms)[*].mail_identities)))
    error_message = "A domain or address can be in mail_identities of one platform only, because each platform creates its identities. The operator sends mail from all of them for every platform."
  }
  validation {
    condition     = alltrue([for name, platform in var.platforms : alltrue([for arn in platform.job_arns : can(regex("^arn:[^:]+:(scheduler:[^:]+:[0-9]{12}:schedule/([^/*]+/[^/*]+|${name}-[a-z0-9-]+/\\*)|events:[^:]+:[0-9]{12}:rule/([^*]+|${name}-[^*]*\\*))$", arn))])])
    error_message = "job_arns must be ARNs of single schedules or rules, or of those whose group or name begins with the platform's name: arn:aws:scheduler:…:schedule/scr-production/*, arn:aws:events:…:rule/scr-*."
  }
  validation {
    condition     = alltrue([for name, platform in var.platforms : alltrue([for arn in platform.job_role_arns : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/([^*]+|ferryman/${name}/([a-z0-9-]+/)*\\*)$", arn))])])
    error_message = "job_role_arns must be ARNs of single roles, or of those below the platform's path: arn:aws:iam::…:role/ferryman/scr/*."
  }
}

variable "create_oidc_provider" {
  type        = bool
  default     = true
  description = "Whether to create GitHub's OIDC provider. Set it to false if the account already has one; an account can have only one."
}

variable "alarm_emails" {
  type        = list(string)
  default     = []
  description = "Addresses that the operator's own alarms are mailed to: something could not be processed, rolled back or delivered. Each one gets a mail with a link and has to confirm it. Without any, subscribe to the topic ferryman-operator-alarms in another way."

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each item of alarm_emails must be a mail address, for example ops@scr-platform.com."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Additional tags for all resources."
}
