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
  description = "Secrets that channels and GitHub need, by the last part of their name: slack-webhook is ferryman/PLATFORM/slack-webhook. The names of Slack's signing secrets end in signing-secret."
}

variable "mail_identities" {
  type        = list(string)
  description = "Domains or addresses that mail channels send from."
}
