variable "aws_region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS region. It must be the region of the environments."

  validation {
    condition     = can(regex("^[a-z]{2}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$", var.aws_region))
    error_message = "aws_region must be a region code, for example eu-west-1."
  }
}

variable "platform" {
  type        = string
  default     = "scr"
  description = "Name of the platform: metadata.name of the platform document, and prefix of all names."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.platform))
    error_message = "platform must consist of 2 to 12 lowercase letters, digits and hyphens and start with a letter, because the name of a load balancer can have at most 32 characters."
  }
}

variable "environments" {
  type        = list(string)
  default     = ["staging", "production"]
  description = "All environments that the operator can change, including those that do not exist yet."

  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : contains(["staging", "production"], name)])
    error_message = "environments must contain staging, production, or both, and nothing else."
  }
}

variable "github_repository" {
  type        = string
  default     = null
  description = "Required. GitHub repository whose workflows push images, as OWNER/NAME."

  validation {
    condition     = var.github_repository != null
    error_message = "github_repository is required: OWNER/NAME of the repository that pushes images, for example acme/scr-platform."
  }
}

variable "github_branch" {
  type        = string
  default     = "main"
  description = "Branch whose workflows can push images."
}

variable "create_oidc_provider" {
  type        = bool
  default     = true
  description = "Whether to create GitHub's OIDC provider. Set it to false if the account already has one."
}

variable "topics" {
  type        = list(string)
  default     = ["team"]
  description = "Names of the channels of type sns in the platform document. Must not be empty."

  validation {
    condition     = length(var.topics) > 0
    error_message = "topics must name at least one channel, because the operator's template does not accept an empty list."
  }
}

variable "secrets" {
  type        = list(string)
  default     = ["slack-webhook", "slack-bot-token", "slack-signing-secret", "github"]
  description = "Secrets that the platform document can refer to: the operator's credentials for Slack and GitHub. They are created without values. Leave out those that you do not use (0.40 USD per month each). Each name begins with the use of the secret: slack-webhook, slack-bot-token, slack-signing-secret or github; a second one is slack-webhook-team."

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^(slack-webhook|slack-bot-token|slack-signing-secret|github)(-[a-z-]*[a-z])?$", name))])
    error_message = "secrets must begin with their use (slack-webhook, slack-bot-token, slack-signing-secret or github) and continue, if at all, with a hyphen and lowercase letters, for example slack-webhook-team. Ferryman reads a secret for the use in its name only."
  }
}

variable "mail_identities" {
  type        = list(string)
  default     = ["scr-platform.example"]
  description = "Domains or addresses that mails are sent from. SES sends no mail before their owner has verified them."

  validation {
    condition     = length(var.mail_identities) > 0
    error_message = "mail_identities must name at least one domain or address, because the operator's template does not accept an empty list."
  }
}

variable "job_arns" {
  type        = list(string)
  default     = []
  description = "ARNs of the EventBridge schedules and rules that the platform document names as jobs: arn:aws:scheduler:…:schedule/GROUP/NAME, arn:aws:events:…:rule/NAME."

  validation {
    condition     = alltrue([for arn in var.job_arns : can(regex("^arn:[^:]+:(scheduler:[^:]+:[0-9]{12}:schedule/[^/*]+/[^/*]+|events:[^:]+:[0-9]{12}:rule/[^*]+)$", arn))])
    error_message = "job_arns must be ARNs of single schedules or rules, without wildcards."
  }
}

variable "job_role_arns" {
  type        = list(string)
  default     = []
  description = "ARNs of the roles that these schedules and rules start their tasks with. Ferryman passes them on when it changes a target."

  validation {
    condition     = alltrue([for arn in var.job_role_arns : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/[^*]+$", arn))])
    error_message = "job_role_arns must be ARNs of single roles, without wildcards."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Additional tags for all resources."
}
