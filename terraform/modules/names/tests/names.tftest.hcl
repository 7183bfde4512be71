# Conventions that other systems rely on: the deployment guide's names, the platform document's, the operator's policies.
variables {
  platform    = "scr"
  environment = "staging"
  partition   = "aws"
  region      = "eu-west-1"
  account_id  = "123456789012"
}

run "names_of_the_guide" {
  command = plan

  assert {
    condition     = output.services == { api = "scr-api-staging", ai-gateway = "scr-ai-gateway-staging", web = "scr-web-staging" }
    error_message = "services are called PLATFORM-COMPONENT-ENVIRONMENT"
  }
  assert {
    condition     = output.migration == "scr-api-migrate-staging" && output.migration_task_definition_arn == "arn:aws:ecs:eu-west-1:123456789012:task-definition/scr-api-migrate-staging:*"
    error_message = "the migration is the guide's family, in every revision"
  }
  assert {
    condition     = toset(values(output.repositories)) == toset(["scr-api", "scr-ai-gateway", "scr-web"])
    error_message = "repositories have no environment in their names: production takes staging's images"
  }
  assert {
    condition     = output.cluster_arn == "arn:aws:ecs:eu-west-1:123456789012:cluster/scr-staging"
    error_message = "the cluster is PLATFORM-ENVIRONMENT"
  }
}

run "two_roles_per_family" {
  command = plan

  assert {
    condition     = length(output.families) == 4 && length(distinct(output.pass_role_arns)) == 8
    error_message = "each family has a task role and an execution role of its own"
  }
  assert {
    condition     = alltrue([for arn in output.pass_role_arns : !strcontains(arn, "*") && can(regex("-staging-(task|execution)$", arn))])
    error_message = "PassRole names roles exactly, and this environment's only"
  }
  assert {
    condition     = alltrue([for arn in output.log_group_arns : can(regex(":log-group:/ecs/scr-[a-z-]+-staging:\\*$", arn))]) && length(output.log_group_arns) == 4
    error_message = "a log group per family, with all its streams"
  }
}

run "the_longest_names_fit" {
  command = plan
  variables {
    platform    = "abcdefghijkl"
    environment = "production"
  }

  assert {
    condition     = alltrue([for arn in output.pass_role_arns : length(split("/", arn)[1]) <= 64])
    error_message = "IAM takes 64 characters"
  }
  assert {
    condition     = length("${output.prefix}-api") <= 32
    error_message = "target groups take 32 characters"
  }
}

run "refuses_a_migration_of_nothing" {
  command = plan
  variables {
    migration_component = "worker"
  }
  expect_failures = [var.migration_component]
}
