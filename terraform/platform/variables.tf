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
    condition     = contains(keys(var.platforms), var.platform)
    error_message = "platform must be one of platforms (${join(", ", keys(var.platforms))}): the file that shared reads, too."
  }
}

variable "platforms" {
  type = map(object({
    environments    = optional(list(string), ["staging", "production"])
    components      = optional(list(string), ["api", "ai-gateway", "web"])
    topics          = optional(list(string), ["team"])
    mail_identities = optional(list(string), [])
  }))
  default     = { scr = {} }
  description = "All platforms, from the file that shared reads, too. (Validated there.)"
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

variable "secrets" {
  type        = list(string)
  default     = ["slack-webhook", "slack-bot-token", "slack-signing-secret", "github"]
  description = "Secrets that the platform document can refer to: the operator's credentials for Slack and GitHub. They are created without values. Leave out those that you do not use (0.40 USD per month each). Each name begins with the use of the secret: slack-webhook, slack-bot-token, slack-signing-secret or github; a second one is slack-webhook-team."

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^(slack-webhook|slack-bot-token|slack-signing-secret|github)(-[a-z-]*[a-z])?$", name))])
    error_message = "secrets must begin with their use (slack-webhook, slack-bot-token, slack-signing-secret or github) and continue, if at all, with a hyphen and lowercase letters, for example slack-webhook-team. Ferryman reads a secret for the use in its name only."
  }
}

variable "access" {
  type = list(object({
    role         = string
    environments = list(string)
    principals   = list(string)
  }))
  default     = []
  description = "Who has which role in which environments: role viewer, deployer or approver; environments, or just [\"*\"]; principals as ARNs of IAM users and roles, or permission-set/NAME of IAM Identity Center. Without any, only the operator's admins (AdminArns) may do anything."

  validation {
    condition     = alltrue([for grant in var.access : contains(["viewer", "deployer", "approver"], grant.role)])
    error_message = "A role in access is unknown: ${join(", ", [for grant in var.access : grant.role if !contains(["viewer", "deployer", "approver"], grant.role)])}. Use viewer, deployer or approver; admins are in the parameter AdminArns of the operator's stack."
  }
  validation {
    condition = alltrue([for grant in var.access : length(grant.environments) > 0 && (
      join(",", grant.environments) == "*" || alltrue([for name in grant.environments : can(regex("^[a-z][a-z0-9-]{0,23}$", name))])
    )])
    error_message = "environments in access must be names of environments, or just [\"*\"] for every one."
  }
  validation {
    condition = alltrue([for grant in var.access : length(grant.principals) > 0 && alltrue([for principal in grant.principals :
      can(regex("^(arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/([A-Za-z0-9_+=.@-]+/)*[A-Za-z0-9_+=.@-]+|permission-set/[A-Za-z0-9_+=,.@-]{1,32})$", principal))
    ])])
    error_message = "principals in access must be ARNs of single IAM users or roles, or permission-set/NAME, without wildcards."
  }
  validation {
    condition     = length(jsonencode({ grants = var.access })) <= 8192
    error_message = "access is longer than 8,192 characters, the limit of an SSM parameter. Grant roles to a role or a permission set that people share."
  }
}

variable "people" {
  type = list(object({
    name = string
    role = optional(string)
    arn  = optional(string)
  }))
  default     = []
  description = "Whose a role, an IAM user or an Identity Center session is: the person's name, and either role, which only this person can assume, or arn, of the user or session."

  validation {
    condition     = alltrue([for person in var.people : trimspace(person.name) != "" && (person.role == null) != (person.arn == null)])
    error_message = "Each of people needs a name, and either role or arn."
  }
}

variable "import_from_shared" {
  type        = bool
  default     = false
  description = "Whether this platform's resources exist already, in the state of shared, where they were before platforms had a root of their own. They are imported then."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Additional tags for all resources."
}
