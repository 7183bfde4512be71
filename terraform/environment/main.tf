# Applied once per environment: everything that a release runs on. Only `settings` contains differences between
# environments.

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = merge(var.tags, {
      Platform    = var.platform
      Environment = var.environment
      ManagedBy   = "terraform"
      Root        = "environment"
    })
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  settings = {
    staging = {
      cidr           = "10.20.0.0/16"
      zones          = 2
      nat_per_zone   = false
      protected      = false
      retention_days = 14
      counts         = { api = 1, ai-gateway = 1, web = 1 }
      autoscaling    = {}
      host           = "staging.${var.domain}"
    }
    production = {
      cidr           = "10.30.0.0/16"
      zones          = 3
      nat_per_zone   = true
      protected      = true
      retention_days = 90
      counts         = { api = 2, ai-gateway = 1, web = 2 }
      autoscaling    = { api = { min = 2, max = 10, cpu_percent = 70 } }
      host           = var.domain
    }
  }
  here = local.settings[var.environment]

  # The other environment's default range, so that the two networks can be connected later.
  others = [for name, settings in local.settings : settings.cidr if name != var.environment]

  vpc_cidr = coalesce(var.vpc_cidr, local.here.cidr)
  ports    = { api = 8000, ai-gateway = 8100, web = 3000 }
  web_host = local.here.host
  api_host = "api.${local.here.host}"
}

module "names" {
  source = "../modules/names"

  platform         = var.platform
  environment      = var.environment
  roles_below_path = try(var.platforms[var.platform].roles_below_path, false)
  partition        = data.aws_partition.current.partition
  region           = var.aws_region
  account_id       = data.aws_caller_identity.current.account_id
}

module "encryption" {
  source = "../modules/encryption"

  name      = module.names.prefix
  protected = local.here.protected
}

module "network" {
  source = "../modules/network"

  name           = module.names.prefix
  cidr           = local.vpc_cidr
  peer_cidrs     = distinct(concat(var.peer_cidrs, local.others))
  zones          = local.here.zones
  nat_per_zone   = local.here.nat_per_zone
  ports          = { balanced = [local.ports.api, local.ports.web], internal = [local.ports.api, local.ports["ai-gateway"]] }
  retention_days = local.here.retention_days
  kms_key_arn    = module.encryption.key_arn
  protected      = local.here.protected
}

module "alb" {
  source = "../modules/alb"

  name              = module.names.prefix
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.public_subnet_ids
  security_group_id = module.network.alb_security_group_id
  certificate_arn   = var.acm_certificate_arn
  api_host          = local.api_host
  targets = {
    api = { port = local.ports.api, path = "/health", matcher = "200" }
    web = { port = local.ports.web, path = "/", matcher = "200,307" } # 307: to the sign-in
  }
  protected   = local.here.protected
  log_days    = local.here.retention_days
  web_acl_arn = var.web_acl_arn
}

resource "aws_route53_record" "this" {
  for_each = var.hosted_zone_id == null ? toset([]) : toset([local.web_host, local.api_host])

  zone_id = var.hosted_zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = module.alb.dns_name
    zone_id                = module.alb.zone_id
    evaluate_target_health = true
  }
}

module "data" {
  source = "../modules/data"

  name              = module.names.prefix
  secret_prefix     = "${var.platform}/${var.environment}"
  database_name     = replace(var.platform, "-", "_")
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.data_security_group_id
  kms_key_arn       = module.encryption.key_arn
  db_instance_class = var.db_instance_class
  redis_node_type   = var.redis_node_type
  protected         = local.here.protected
}

module "secrets" {
  source = "../modules/secrets"

  prefix      = "${var.platform}/${var.environment}"
  names       = { CLERK_SECRET_KEY = "clerk-secret-key", ANTHROPIC_API_KEY = "anthropic-api-key", ADMIN_TOKEN = "admin-token" }
  kms_key_arn = module.encryption.key_arn
  protected   = local.here.protected
}

module "observability" {
  source = "../modules/observability"

  name                      = module.names.prefix
  log_groups                = module.names.log_groups
  retention_days            = local.here.retention_days
  services                  = module.names.services
  alb_arn_suffix            = module.alb.arn_suffix
  target_group_arn_suffixes = module.alb.target_group_arn_suffixes
  database_id               = module.data.database.identifier
  redis_id                  = module.data.redis_id
  kms_key_arn               = module.encryption.key_arn
  protected                 = local.here.protected
  alarm_emails              = var.alarm_emails
}

# Parameters of this environment for the operator and the platform document.
module "operator" {
  source = "../modules/operator"

  path = "/ferryman/${var.platform}/${var.environment}"
  texts = merge(
    {
      cluster         = module.ecs.cluster_name
      api-url         = "https://${local.api_host}"
      web-url         = "https://${local.web_host}"
      alarm-topic-arn = module.observability.alarm_topic_arn
    },
    { for family, arn in module.ecs.task_definition_arns : "task-definitions/${family}" => arn },
  )
  lists = {
    private-subnet-ids      = module.network.private_subnet_ids
    task-security-group-ids = [module.network.task_security_group_id]
  }
}
