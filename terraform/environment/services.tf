# The three services and the migration: sizes, environment variables, secrets.

locals {
  database_secrets = {
    DATABASE_USER     = "${module.data.database.secret_arn}:username::"
    DATABASE_PASSWORD = "${module.data.database.secret_arn}:password::"
  }
  # Host and name only: the user and the password are in the secret of RDS, which no plan or state contains. The
  # application assembles its database URL from these (README, "Secrets").
  database_environment = {
    DATABASE_HOST = module.data.database.host
    DATABASE_PORT = tostring(module.data.database.port)
    DATABASE_NAME = module.data.database.name
  }

  # The HEALTHCHECK of the example's Dockerfiles, because ECS does not read it. The images have no curl but an interpreter;
  # for other images, see var.health_commands.
  python_health = [
    "CMD", "python", "-c",
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)",
  ]
  health_commands = merge({
    api        = local.python_health
    ai-gateway = local.python_health
    web = [
      "CMD", "node", "-e",
      "fetch('http://127.0.0.1:' + process.env.PORT, {redirect: 'manual'}).then(r => process.exit(r.status < 400 ? 0 : 1), () => process.exit(1))",
    ]
  }, var.health_commands)

  services = {
    api = {
      cpu              = var.api_cpu
      memory           = var.api_memory
      target_group_arn = module.alb.target_group_arns["api"]
      discoverable     = true
      environment = merge(local.database_environment, {
        AI_GATEWAY_URL      = "http://ai-gateway:${local.ports["ai-gateway"]}"
        FILES_BUCKET        = module.data.files_bucket.name
        FORWARDED_ALLOW_IPS = local.vpc_cidr # trusted sources of X-Forwarded-*: the load balancer's network
      })
      secrets = merge(local.database_secrets, {
        REDIS_URL         = module.data.redis_url_secret_arn
        CLERK_SECRET_KEY  = module.secrets.arns["CLERK_SECRET_KEY"]
        ANTHROPIC_API_KEY = module.secrets.arns["ANTHROPIC_API_KEY"]
        ADMIN_TOKEN       = module.secrets.arns["ADMIN_TOKEN"]
      })
      scratch         = ["/tmp"]
      task_policy     = data.aws_iam_policy_document.api.json
      has_task_policy = true
    }
    ai-gateway = {
      cpu              = 256
      memory           = 512
      target_group_arn = null # reachable from inside only: no target group, no listener rule, no public name
      discoverable     = true
      environment      = {}
      secrets = {
        REDIS_URL         = module.data.redis_url_secret_arn
        ANTHROPIC_API_KEY = module.secrets.arns["ANTHROPIC_API_KEY"]
      }
      scratch         = ["/tmp"]
      task_policy     = null
      has_task_policy = false
    }
    web = {
      cpu              = 256
      memory           = 512
      target_group_arn = module.alb.target_group_arns["web"]
      discoverable     = false
      # From server to server, inside the network. The browser finds the API under /api of the page's address.
      environment = merge(
        { API_URL = "http://api:${local.ports.api}" },
        var.clerk_publishable_key == "" ? {} : { CLERK_PUBLISHABLE_KEY = var.clerk_publishable_key },
      )
      secrets         = { CLERK_SECRET_KEY = module.secrets.arns["CLERK_SECRET_KEY"] }
      scratch         = ["/tmp", "/app/.next/cache"] # Next.js stores optimized images and pages there
      task_policy     = null
      has_task_policy = false
    }
  }
}

module "ecs" {
  source = "../modules/ecs"

  cluster_name = module.names.prefix
  role_path    = module.names.role_path
  # The tag of what runs here. The operator maintains it whatever the platform document says, so a service that has to be
  # recreated comes back with its last release. For the time before the first release, see README, "First installation".
  image_tag        = "${var.environment}-current"
  cpu_architecture = var.cpu_architecture

  services = {
    for component, service in local.services : component => merge(service, {
      family         = module.names.services[component]
      repository_url = module.names.repository_urls[component]
      repository_arn = module.names.repository_arns[component]
      task_role      = module.names.task_roles[module.names.services[component]]
      execution_role = module.names.execution_roles[module.names.services[component]]
      log_group      = module.observability.log_groups[module.names.services[component]]
      port           = local.ports[component]
      count          = local.here.counts[component]
      health_command = local.health_commands[component]
      environment = merge(service.environment, {
        APP_ENV      = var.environment
        BIND_ADDRESS = "0.0.0.0" # in the container; the security group decides who can reach it
        PORT         = tostring(local.ports[component])
      })
    })
  }

  migration = {
    family         = module.names.migration
    component      = "api"
    task_role      = module.names.task_roles[module.names.migration]
    execution_role = module.names.execution_roles[module.names.migration]
    log_group      = module.observability.log_groups[module.names.migration]
    command        = ["alembic", "upgrade", "head"]
    secrets        = local.database_secrets
  }

  autoscaling       = local.here.autoscaling
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.task_security_group_id
  kms_key_arn       = module.encryption.key_arn
}

data "aws_iam_policy_document" "api" {
  statement {
    sid       = "KeepFiles"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${module.data.files_bucket.arn}/*"]
  }

  statement {
    sid       = "ListFiles"
    actions   = ["s3:ListBucket"]
    resources = [module.data.files_bucket.arn]
  }

  statement {
    sid       = "EncryptThem"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.encryption.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.aws_region}.amazonaws.com"]
    }
  }
}
