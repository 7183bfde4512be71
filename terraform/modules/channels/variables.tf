variable "platform" {
  type        = string
  description = "Name of the platform."
}

variable "topics" {
  type        = list(string)
  description = "Channels of type sns in the platform document."
}

variable "secrets" {
  type        = list(string)
  description = "Secrets that channels and GitHub need, by their last name: slack-webhook is ferryman/PLATFORM/slack-webhook. Those that Slack signs with end in signing-secret."
}

variable "mail_identities" {
  type        = list(string)
  description = "Domains or addresses that mail channels send from."
}
