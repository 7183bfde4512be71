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
    condition     = output.migration == "scr-api-migrate-staging"
    error_message = "the migration is the guide's family"
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
}

run "roles_below_a_path" {
  command = plan
  variables {
    roles_below_path = true
  }

  assert {
    condition     = join(",", output.pass_role_arns) == "arn:aws:iam::123456789012:role/ferryman/scr/staging/*" && output.role_path == "/ferryman/scr/staging/"
    error_message = "one pattern for all roles of this environment, and of no other"
  }
}

run "one_pattern_for_each_kind" {
  command = plan
  variables {
    components      = [for i in range(100) : "service-${i}"]
    topics          = ["team"]
    mail_identities = ["scr-platform.com"]
  }

  assert {
    condition = output.of_platform == {
      repositories = "arn:aws:ecr:eu-west-1:123456789012:repository/scr-*"
      migrations   = "arn:aws:ecs:eu-west-1:123456789012:task-definition/scr-*-migrate-*:*"
      log_groups   = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/scr-*:*"
      secrets = {
        slack-webhook        = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-webhook-*"
        slack-bot-token      = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-bot-token-*"
        slack-signing-secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/slack-signing-secret-*"
        github               = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferryman/scr/github-*"
      }
    }
    error_message = "as long for a hundred services as for three"
  }
  assert {
    condition     = output.migration == "scr-service-0-migrate-staging"
    error_message = "without an api, the first component migrates"
  }
  assert {
    condition     = output.topic_arns == { team = "arn:aws:sns:eu-west-1:123456789012:scr-team" } && output.mail_identity_arns == ["arn:aws:ses:eu-west-1:123456789012:identity/scr-platform.com"]
    error_message = "topics and identities are named one by one"
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
