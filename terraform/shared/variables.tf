variable "aws_region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS region, the same as the environments'."

  validation {
    condition     = can(regex("^[a-z]{2}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$", var.aws_region))
    error_message = "aws_region must be the code of a region, for example eu-west-1."
  }
}

variable "platform" {
  type        = string
  default     = "scr"
  description = "Name of the platform: metadata.name of the platform document, and the prefix of all names."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.platform))
    error_message = "platform must be 2 to 12 lowercase letters, digits and hyphens and begin with a letter: load balancers' names have 32 characters in all."
  }
}

variable "environments" {
  type        = list(string)
  default     = ["staging", "production"]
  description = "All environments that the operator may change, also those that are not made yet."

  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : contains(["staging", "production"], name)])
    error_message = "environments may hold staging and production, and at least one of them."
  }
}

variable "github_repository" {
  type        = string
  default     = null
  description = "Required. The GitHub repository whose workflows push images, as OWNER/NAME."

  validation {
    condition     = var.github_repository != null
    error_message = "github_repository is required: OWNER/NAME of the repository that pushes images, for example acme/scr-platform."
  }
}

variable "github_branch" {
  type        = string
  default     = "main"
  description = "The branch whose workflows may push images."
}

variable "create_oidc_provider" {
  type        = bool
  default     = true
  description = "false when the account has GitHub's OIDC provider already."
}

variable "topics" {
  type        = list(string)
  default     = ["team"]
  description = "Channels of type sns in the platform document. Must not be empty."

  validation {
    condition     = length(var.topics) > 0
    error_message = "topics must name at least one channel: the operator's template needs a list that is not empty."
  }
}

variable "secrets" {
  type        = list(string)
  default     = ["slack-webhook", "slack-bot-token", "slack-signing-secret", "github"]
  description = "Secrets that the platform document may name: what Slack and GitHub know the operator by. Only containers; leave out what you don't use (0.40 USD a month each). The public approval pages may read those that end in signing-secret, and no others."

  validation {
    condition     = length(var.secrets) > 0 && alltrue([for name in var.secrets : can(regex("^[a-z][a-z-]*[a-z]$", name))])
    error_message = "secrets must name at least one secret in lowercase letters and hyphens, for example slack-webhook: the operator's template needs a list that is not empty."
  }
}

variable "mail_identities" {
  type        = list(string)
  default     = ["scr-platform.example"]
  description = "Domains or addresses that mails are sent from. SES sends nothing before their owner has verified them."

  validation {
    condition     = length(var.mail_identities) > 0
    error_message = "mail_identities must name at least one domain or address: the operator's template needs a list that is not empty."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "More tags for everything."
}
