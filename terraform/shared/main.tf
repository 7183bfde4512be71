# Applied once per account and region: what all platforms use, and what the operator is allowed to use.

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = merge(var.tags, {
      ManagedBy = "terraform"
      Root      = "shared"
    })
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

# Trusted by CI's roles of all platforms (modules/github-oidc).
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# Names in the environments. One call per environment; none of them creates anything.
module "names" {
  source = "../modules/names"
  for_each = merge([
    for name, platform in var.platforms : {
      for environment in platform.environments : "${name}/${environment}" => merge(platform, { name = name, environment = environment })
    }
  ]...)

  platform         = each.value.name
  environment      = each.value.environment
  components       = each.value.components
  topics           = each.value.topics
  mail_identities  = each.value.mail_identities
  roles_below_path = each.value.roles_below_path
  partition        = data.aws_partition.current.partition
  region           = var.aws_region
  account_id       = data.aws_caller_identity.current.account_id
}

locals {
  # What does not differ between environments is the same in each of a platform's calls.
  any = [for name, platform in var.platforms : module.names["${name}/${platform.environments[0]}"]]

  # SSM has no empty list. Where there is nothing, the list contains something that does not exist.
  here = "${var.aws_region}:${data.aws_caller_identity.current.account_id}"
  none = {
    topic    = "arn:${data.aws_partition.current.partition}:sns:${local.here}:ferryman-none"
    identity = "arn:${data.aws_partition.current.partition}:ses:${local.here}:identity/ferryman-none"
    job      = "arn:${data.aws_partition.current.partition}:scheduler:${local.here}:schedule/ferryman-none/none"
    role     = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/ferryman-none"
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

# The parameters of the operator's SAM template: the union over all platforms. They follow the naming conventions of
# `platform` and `environment`, so that the operator can be deployed first and does not have to be deployed again when an
# environment is recreated. Clusters and the paths of roles are named one by one, because they decide what can be changed;
# where there would be an entry for each service, there is one pattern for each platform (`make sizes`).
module "operator" {
  source = "../modules/operator"

  path  = "/ferryman/operator"
  texts = { alarm-topic-arn = module.alarm_topic.arn }
  lists = {
    cluster-arns                   = [for names in module.names : names.cluster_arn]
    pass-role-arns                 = flatten([for names in module.names : names.pass_role_arns])
    repository-arns                = local.any[*].of_platform.repositories
    migration-task-definition-arns = local.any[*].of_platform.migrations
    log-group-arns                 = local.any[*].of_platform.log_groups
    topic-arns                     = coalescelist(flatten([for names in local.any : values(names.topic_arns)]), [local.none.topic])
    mail-identity-arns             = coalescelist(flatten(local.any[*].mail_identity_arns), [local.none.identity])
    webhook-secret-arns            = local.any[*].of_platform.secrets["slack-webhook"]
    bot-token-secret-arns          = local.any[*].of_platform.secrets["slack-bot-token"]
    signing-secret-arns            = local.any[*].of_platform.secrets["slack-signing-secret"]
    github-secret-arns             = local.any[*].of_platform.secrets["github"]
    job-arns                       = coalescelist(flatten(values(var.platforms)[*].job_arns), [local.none.job])
    job-role-arns                  = coalescelist(distinct(flatten(values(var.platforms)[*].job_role_arns)), [local.none.role])
  }
}
