variable "repositories" {
  type        = list(string)
  description = "Names of the repositories."
}

variable "moving_tag_suffixes" {
  type        = list(string)
  default     = ["-latest", "-current", "-previous"]
  description = "Endings of the tags that follow what runs. These may move and are never expired; all other tags are immutable."

  validation {
    condition     = length(var.moving_tag_suffixes) <= 5
    error_message = "moving_tag_suffixes may hold at most 5 endings: ECR takes no more exclusions from immutability."
  }
}

variable "keep_tagged" {
  type        = number
  default     = 20
  description = "How many of the newest tagged images are kept, whatever their tag is."

  validation {
    condition     = var.keep_tagged >= 1 && floor(var.keep_tagged) == var.keep_tagged
    error_message = "keep_tagged must be a whole number from 1 on; the deployment guide's is 20."
  }
}

variable "untagged_days" {
  type        = number
  default     = 1
  description = "After how many days an image without a tag is deleted."

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days must be a whole number from 1 on; the deployment guide's is 1."
  }
}
