variable "repositories" {
  type        = list(string)
  description = "Names of the repositories."
}

variable "moving_tag_suffixes" {
  type        = list(string)
  default     = ["-latest", "-current", "-previous"]
  description = "Suffixes of the moving tags. Moving tags are mutable and never expire; all other tags are immutable."

  validation {
    condition     = length(var.moving_tag_suffixes) <= 5
    error_message = "moving_tag_suffixes can contain at most 5 suffixes, because ECR allows no more exclusions from immutability."
  }
}

variable "keep_tagged" {
  type        = number
  default     = 20
  description = "How many of the newest tagged images are kept, whatever their tags are."

  validation {
    condition     = var.keep_tagged >= 1 && floor(var.keep_tagged) == var.keep_tagged
    error_message = "keep_tagged must be a whole number of at least 1. The deployment guide uses 20."
  }
}

variable "untagged_days" {
  type        = number
  default     = 1
  description = "Number of days after which an image without a tag is deleted."

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days must be a whole number of at least 1. The deployment guide uses 1."
  }
}
