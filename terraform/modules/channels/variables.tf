variable "platform" {
  type        = string
  description = "Name of the platform."
}

variable "topics" {
  type        = list(string)
  description = "Names of the channels of type sns in the platform document."
}

variable "secrets" {
  type        = list(string)
  description = "Secrets that channels and GitHub need, by the last part of their name: slack-webhook is ferryman/PLATFORM/slack-webhook. Each begins with its use: slack-webhook, slack-bot-token, slack-signing-secret or github."

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^(slack-webhook|slack-bot-token|slack-signing-secret|github)(-[a-z-]*[a-z])?$", name))])
    error_message = "secrets must begin with their use (slack-webhook, slack-bot-token, slack-signing-secret or github) and continue, if at all, with a hyphen and lowercase letters, for example slack-webhook-team. Ferryman reads a secret for the use in its name only."
  }
}

variable "mail_identities" {
  type        = list(string)
  description = "Domains or addresses that mail channels send from."
}
