# Applied once per platform: what all its environments use. Always counts as production, because production uses it.

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = merge(var.tags, {
      Platform  = var.platform
      ManagedBy = "terraform"
      Root      = "platform"
    })
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  here = var.platforms[var.platform]
}

# Names of what does not belong to an environment; any environment returns them.
module "names" {
  source = "../modules/names"

  platform    = var.platform
  environment = local.here.environments[0]
  components  = local.here.components
  partition   = data.aws_partition.current.partition
  region      = var.aws_region
  account_id  = data.aws_caller_identity.current.account_id
}

module "ecr" {
  source = "../modules/ecr"

  repositories = values(module.names.repositories)
}

module "github_oidc" {
  source = "../modules/github-oidc"

  platform              = var.platform
  repository            = var.github_repository
  branch                = var.github_branch
  image_repository_arns = values(module.names.repository_arns)
}

module "channels" {
  source = "../modules/channels"

  platform        = var.platform
  topics          = local.here.topics
  secrets         = var.secrets
  mail_identities = local.here.mail_identities
}

locals {
  people = [for person in var.people : { for key, value in person : key => value if value != null }]
}

# Who may do what with the platform. No environment writes this path: who may apply one environment gives nobody a role.
module "access" {
  source = "../modules/operator"

  path = "/ferryman/operator/access"
  texts = { (var.platform) = jsonencode(merge(
    { grants = var.access },
    { for key, value in { people = local.people } : key => value if length(value) > 0 },
  )) }
}

# What the platform document refers to for all environments.
module "document" {
  source = "../modules/operator"

  path = "/ferryman/${var.platform}/channels"
  texts = merge(
    { for name, arn in module.channels.topic_arns : "${name}-topic-arn" => arn },
    { for name, arn in module.channels.secret_arns : "${name}-arn" => arn },
  )
}
