provider "aws" {
  region = "eu-west-1"
}

variables {
  cluster_name      = "scr-staging"
  image_tag         = "staging-current"
  subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_id = "sg-0123456789abcdef0"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  services = {
    api = {
      family           = "scr-api-staging", port = 8000, cpu = 512, memory = 1024, count = 1, discoverable = true
      repository_url   = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api"
      repository_arn   = "arn:aws:ecr:eu-west-1:123456789012:repository/scr-api"
      task_role        = "scr-api-staging-task", execution_role = "scr-api-staging-execution", log_group = "/ecs/scr-api-staging"
      health_command   = ["CMD-SHELL", "curl -f http://localhost:8000/health || exit 1"]
      target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1"
      environment      = { PORT = "8000", APP_ENV = "staging" }
      secrets = {
        DATABASE_PASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1-AbCdEf:password::"
        DATABASE_USER     = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1-AbCdEf:username::"
        CLERK_SECRET_KEY  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/staging/clerk-AbCdEf"
      }
      task_policy     = "{\"Version\": \"2012-10-17\", \"Statement\": []}"
      has_task_policy = true
    }
    ai-gateway = {
      family         = "scr-ai-gateway-staging", port = 8100, cpu = 256, memory = 512, count = 1, discoverable = true
      repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-ai-gateway"
      repository_arn = "arn:aws:ecr:eu-west-1:123456789012:repository/scr-ai-gateway"
      task_role      = "scr-ai-gateway-staging-task", execution_role = "scr-ai-gateway-staging-execution", log_group = "/ecs/scr-ai-gateway-staging"
      health_command = ["CMD-SHELL", "curl -f http://localhost:8100/health || exit 1"]
      environment    = {}
      secrets        = { ANTHROPIC_API_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/staging/anthropic-AbCdEf" }
    }
    web = {
      family           = "scr-web-staging", port = 3000, cpu = 256, memory = 512, count = 1, discoverable = false
      repository_url   = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-web"
      repository_arn   = "arn:aws:ecr:eu-west-1:123456789012:repository/scr-web"
      task_role        = "scr-web-staging-task", execution_role = "scr-web-staging-execution", log_group = "/ecs/scr-web-staging"
      health_command   = ["CMD", "node", "-e", "fetch('http://localhost:3000/')"]
      target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/2"
      environment      = { API_URL = "http://api:8000" }
      secrets          = { CLERK_SECRET_KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/staging/clerk-AbCdEf" }
      scratch          = ["/tmp", "/app/.next/cache"]
    }
  }

  migration = {
    family    = "scr-api-migrate-staging", component = "api"
    task_role = "scr-api-migrate-staging-task", execution_role = "scr-api-migrate-staging-execution", log_group = "/ecs/scr-api-migrate-staging"
    command   = ["alembic", "upgrade", "head"]
    secrets   = { DATABASE_PASSWORD = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1-AbCdEf:password::" }
  }
}

run "cluster" {
  command = plan

  assert {
    condition     = aws_ecs_cluster.this.name == "scr-staging" && one([for s in aws_ecs_cluster.this.setting : s.value if s.name == "containerInsights"]) == "enabled"
    error_message = "the cluster has Container Insights"
  }
}

run "task_definitions" {
  command = plan

  assert {
    condition     = toset(keys(aws_ecs_task_definition.base)) == toset(["scr-api-staging", "scr-ai-gateway-staging", "scr-web-staging", "scr-api-migrate-staging"])
    error_message = "one per service, and the migration's"
  }
  assert {
    condition     = alltrue([for d in aws_ecs_task_definition.base : d.skip_destroy == true && contains(d.requires_compatibilities, "FARGATE")])
    error_message = "a base that was replaced stays ACTIVE: rollbacks go to what was derived from it"
  }
  assert {
    condition = alltrue([
      for d in aws_ecs_task_definition.base : alltrue([
        for c in jsondecode(d.container_definitions) :
        c.readonlyRootFilesystem && contains([for t in c.linuxParameters.tmpfs : t.containerPath], "/tmp")
      ])
    ])
    error_message = "read-only file systems, with memory to write to"
  }
  assert {
    condition     = { for family, d in aws_ecs_task_definition.base : family => jsondecode(d.container_definitions)[0].name } == { scr-api-staging = "api", scr-ai-gateway-staging = "ai-gateway", scr-web-staging = "web", scr-api-migrate-staging = "api" }
    error_message = "containers are called as their components: that is where the operator puts the image"
  }
  assert {
    condition     = alltrue([for d in aws_ecs_task_definition.base : endswith(jsondecode(d.container_definitions)[0].image, ":staging-current")])
    error_message = "the base runs what runs here"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.base["scr-api-staging"].container_definitions)[0].healthCheck.command == ["CMD-SHELL", "curl -f http://localhost:8000/health || exit 1"]
    error_message = "the guide's health check"
  }
  assert {
    condition     = tomap({ for s in jsondecode(aws_ecs_task_definition.base["scr-api-staging"].container_definitions)[0].secrets : s.name => s.valueFrom }) == var.services["api"].secrets
    error_message = "secrets come from Secrets Manager, by ARN"
  }
  assert {
    condition     = aws_ecs_task_definition.base["scr-api-staging"].cpu == "512" && aws_ecs_task_definition.base["scr-api-staging"].memory == "1024"
    error_message = "the size that was asked for"
  }
}

run "the_migration_is_the_component_without_a_port" {
  command = plan

  assert {
    condition     = jsondecode(aws_ecs_task_definition.base["scr-api-migrate-staging"].container_definitions)[0].command == ["alembic", "upgrade", "head"]
    error_message = "it migrates up unless told otherwise"
  }
  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.base["scr-api-migrate-staging"].container_definitions)[0].portMappings) && !can(jsondecode(aws_ecs_task_definition.base["scr-api-migrate-staging"].container_definitions)[0].healthCheck)
    error_message = "it serves nothing, so nothing checks it"
  }
  assert {
    condition     = [for s in jsondecode(aws_ecs_task_definition.base["scr-api-migrate-staging"].container_definitions)[0].secrets : s.name] == ["DATABASE_PASSWORD"]
    error_message = "it gets the database's secret and no other"
  }
}

run "services" {
  command = plan

  assert {
    condition     = alltrue([for s in aws_ecs_service.this : s.deployment_circuit_breaker[0].enable && s.deployment_circuit_breaker[0].rollback && s.deployment_controller[0].type == "ECS"])
    error_message = "rolling, with a circuit breaker that rolls back: the operator refuses anything else"
  }
  assert {
    condition     = alltrue([for s in aws_ecs_service.this : s.deployment_minimum_healthy_percent == 100 && s.desired_count == 1])
    error_message = "at their real count from the start, never fewer during a rollout"
  }
  assert {
    condition     = alltrue([for s in aws_ecs_service.this : !s.network_configuration[0].assign_public_ip && !s.enable_execute_command])
    error_message = "no public address, no shell"
  }
  assert {
    condition     = length(aws_ecs_service.this["ai-gateway"].load_balancer) == 0 && length(aws_ecs_service.this["api"].load_balancer) == 1
    error_message = "no load balancer leads to the gateway"
  }
  assert {
    condition     = one(flatten([for s in aws_ecs_service.this["ai-gateway"].service_connect_configuration[0].service : s.client_alias[0].dns_name])) == "ai-gateway"
    error_message = "inside it is called ai-gateway"
  }
  assert {
    condition     = length(aws_ecs_service.this["web"].service_connect_configuration[0].service) == 0
    error_message = "the web is a client only"
  }
}

run "no_scaling_unless_asked" {
  command = plan

  assert {
    condition     = length(aws_appautoscaling_target.this) == 0 && length(aws_appautoscaling_policy.cpu) == 0
    error_message = "staging has one task"
  }
}

run "scaling" {
  command = plan
  variables {
    autoscaling = { api = { min = 2, max = 10, cpu_percent = 70 } }
  }

  assert {
    condition     = aws_appautoscaling_target.this["api"].min_capacity == 2 && aws_appautoscaling_target.this["api"].max_capacity == 10 && aws_appautoscaling_target.this["api"].resource_id == "service/scr-staging/scr-api-staging"
    error_message = "the API from 2 to 10"
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu["api"].target_tracking_scaling_policy_configuration[0].target_value == 70
    error_message = "at 70 % of CPU"
  }
}

run "roles" {
  command = plan

  assert {
    condition     = length(aws_iam_role.task) == 4 && length(aws_iam_role.execution) == 4
    error_message = "two roles per family"
  }
  assert {
    condition     = alltrue([for r in concat(values(aws_iam_role.task), values(aws_iam_role.execution)) : jsondecode(r.assume_role_policy).Statement[0].Principal.Service == "ecs-tasks.amazonaws.com" && can(jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"])])
    error_message = "taken by tasks of this account only"
  }
  assert {
    condition = toset(flatten([for s in jsondecode(data.aws_iam_policy_document.execution["scr-api-staging"].json).Statement : s.Resource if s.Sid == "ReadItsSecrets"])) == toset([
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1-AbCdEf",
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/staging/clerk-AbCdEf",
    ])
    error_message = "exactly its secrets, without the JSON keys"
  }
  assert {
    condition     = flatten([for s in jsondecode(data.aws_iam_policy_document.execution["scr-web-staging"].json).Statement : s.Resource if s.Sid == "ReadItsSecrets"]) == ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:scr/staging/clerk-AbCdEf"]
    error_message = "the web can't read the database's password"
  }
  assert {
    condition = alltrue(flatten([
      for d in data.aws_iam_policy_document.execution : [for s in jsondecode(d.json).Statement : s.Action == "ecr:GetAuthorizationToken" if s.Resource == "*"]
    ]))
    error_message = "only GetAuthorizationToken, which knows no resources, is allowed on all"
  }
  assert {
    condition     = keys(aws_iam_role_policy.task) == ["scr-api-staging"]
    error_message = "applications may do nothing in AWS, but for the one that brings a policy"
  }
}

run "refuses_processors_that_fargate_lacks" {
  command = plan
  variables {
    cpu_architecture = "x86"
  }
  expect_failures = [var.cpu_architecture]
}
