variable "platform" {
  type        = string
  description = "Prefix of the roles' names."
}

variable "repository" {
  type        = string
  description = "GitHub repository that can push images, as OWNER/NAME."

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The GitHub repository must be OWNER/NAME, for example acme/scr-platform. Wildcards are not allowed, because they would let other repositories push."
  }
}

variable "branch" {
  type        = string
  description = "Branch whose workflows can push images."

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "The branch must be the name of one branch, for example main. Wildcards are not allowed."
  }
}

variable "image_repository_arns" {
  type        = list(string)
  description = "ECR repositories that CI pushes to."
}
