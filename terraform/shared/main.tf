# Applied once per account and platform: what all environments use, and what the operator is allowed to use.

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = merge(var.tags, {
      Platform  = var.platform
      ManagedBy = "terraform"
      Root      = "shared"
    })
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

# Names in the environments. One call per environment; none of them creates anything.
module "names" {
  source   = "../modules/names"
  for_each = toset(var.environments)

  platform    = var.platform
  environment = each.key
  partition   = data.aws_partition.current.partition
  region      = var.aws_region
  account_id  = data.aws_caller_identity.current.account_id
}

locals {
  # Repositories do not belong to an environment, so any of the calls returns their names.
  any = module.names[var.environments[0]]
}

module "ecr" {
  source = "../modules/ecr"

  repositories = values(local.any.repositories)
}

module "github_oidc" {
  source = "../modules/github-oidc"

  platform              = var.platform
  repository            = var.github_repository
  branch                = var.github_branch
  image_repository_arns = values(local.any.repository_arns)
  create_provider       = var.create_oidc_provider
}

module "channels" {
  source = "../modules/channels"

  platform        = var.platform
  topics          = var.topics
  secrets         = var.secrets
  mail_identities = var.mail_identities
}

locals {
  # SSM has no empty list. If there is no secret for a use, the list contains one that does not exist.
  secret_arns = {
    for use, arns in module.channels.secret_arns_by_use : use => coalescelist(arns, [
      "arn:${data.aws_partition.current.partition}:secretsmanager:${var.aws_region}:${data.aws_caller_identity.current.account_id}:secret:ferryman/${var.platform}/${use}-none"
    ])
  }
}

# The operator's own alarms: its stack notifies this topic unless its parameter AlarmTopicArn names another one.
module "alarm_key" {
  source = "../modules/encryption"

  name = "ferryman-operator"
}

module "alarm_topic" {
  source = "../modules/alarm-topic"

  name        = "ferryman-operator-alarms"
  kms_key_arn = module.alarm_key.key_arn
  emails      = var.alarm_emails
}

# The parameters of the operator's SAM template. They follow the naming conventions of `environment`, so that the operator
# can be deployed first and does not have to be deployed again when an environment is recreated.
module "operator" {
  source = "../modules/operator"

  path  = "/ferryman/operator"
  texts = { alarm-topic-arn = module.alarm_topic.arn }
  lists = {
    cluster-arns                   = [for names in module.names : names.cluster_arn]
    pass-role-arns                 = flatten([for names in module.names : names.pass_role_arns])
    repository-arns                = values(local.any.repository_arns)
    repository-names               = values(local.any.repositories)
    migration-task-definition-arns = [for names in module.names : names.migration_task_definition_arn]
    log-group-arns                 = flatten([for names in module.names : names.log_group_arns])
    topic-arns                     = values(module.channels.topic_arns)
    mail-identity-arns             = module.channels.mail_identity_arns
    webhook-secret-arns            = local.secret_arns["slack-webhook"]
    bot-token-secret-arns          = local.secret_arns["slack-bot-token"]
    signing-secret-arns            = local.secret_arns["slack-signing-secret"]
    github-secret-arns             = local.secret_arns["github"]
    # Where the platform document has no jobs, these name a schedule and a role that do not exist.
    job-arns = coalescelist(var.job_arns, [
      "arn:${data.aws_partition.current.partition}:scheduler:${var.aws_region}:${data.aws_caller_identity.current.account_id}:schedule/ferryman-none/none"
    ])
    job-role-arns = coalescelist(var.job_role_arns, [
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/ferryman-none"
    ])
  }
}

locals {
  people = [for person in var.people : { for key, value in person : key => value if value != null }]
}

# Who may do what with the platform. Only this root writes this path: who may apply one environment gives nobody a role.
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
