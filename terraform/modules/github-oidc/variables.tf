variable "platform" {
  type        = string
  description = "Prefix of the roles' names."
}

variable "repository" {
  type        = string
  description = "The GitHub repository that may push images, as OWNER/NAME."

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The GitHub repository must be OWNER/NAME, for example acme/scr-platform; wildcards would let strangers push."
  }
}

variable "branch" {
  type        = string
  description = "The branch whose workflows may push images."

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "The branch must be one branch's name, for example main; no wildcards."
  }
}

variable "image_repository_arns" {
  type        = list(string)
  description = "ECR repositories that CI pushes to."
}

variable "create_provider" {
  type        = bool
  description = "false when the account has GitHub's OIDC provider already; an account can have only one."
}
