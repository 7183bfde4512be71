variables {
  github_repository = "acme/scr-platform"
}

run "what_the_operator_may_touch" {
  command = plan

  assert {
    condition     = length(split(",", module.operator.parameters["/ferryman/operator/pass-role-arns"])) == 16
    error_message = "four families with two roles each, in two environments"
  }
  assert {
    condition     = toset([for arn in split(",", module.operator.parameters["/ferryman/operator/cluster-arns"]) : split("/", arn)[1]]) == toset(["scr-staging", "scr-production"])
    error_message = "both clusters, also before they are there"
  }
  assert {
    condition     = toset(split(",", module.operator.parameters["/ferryman/operator/repository-names"])) == toset(["scr-api", "scr-ai-gateway", "scr-web"])
    error_message = "the three repositories"
  }
}

run "one_environment" {
  command = plan
  variables {
    environments = ["staging"]
  }

  assert {
    condition     = !strcontains(module.operator.parameters["/ferryman/operator/pass-role-arns"], "production") && !strcontains(module.operator.parameters["/ferryman/operator/cluster-arns"], "production")
    error_message = "an environment that is not listed is out of the operator's reach"
  }
}

run "without_slack_buttons" {
  command = plan
  variables {
    secrets = ["github"]
  }

  assert {
    condition     = endswith(module.operator.parameters["/ferryman/operator/signing-secret-arns"], ":secret:ferryman/scr/slack-signing-secret-none") && endswith(module.operator.parameters["/ferryman/operator/bot-token-secret-arns"], ":secret:ferryman/scr/slack-bot-token-none")
    error_message = "lists that are not empty, and open nothing"
  }
}

run "without_jobs" {
  command = plan

  assert {
    condition     = endswith(module.operator.parameters["/ferryman/operator/job-arns"], ":schedule/ferryman-none/none") && endswith(module.operator.parameters["/ferryman/operator/job-role-arns"], ":role/ferryman-none")
    error_message = "lists that are not empty, and open nothing"
  }
}

run "with_jobs" {
  command = plan
  variables {
    job_arns      = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly", "arn:aws:events:eu-west-1:123456789012:rule/uploads"]
    job_role_arns = ["arn:aws:iam::123456789012:role/scr-jobs"]
  }

  assert {
    condition     = module.operator.parameters["/ferryman/operator/job-arns"] == "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly,arn:aws:events:eu-west-1:123456789012:rule/uploads"
    error_message = "exactly the schedules and rules that are named"
  }
}

run "refuses_all_schedules_at_once" {
  command = plan
  variables {
    job_arns      = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/*"]
    job_role_arns = ["arn:aws:iam::123456789012:role/*"]
  }
  expect_failures = [var.job_arns, var.job_role_arns]
}

run "refuses_a_missing_repository" {
  command = plan
  variables {
    github_repository = null
  }
  expect_failures = [var.github_repository]
}

run "refuses_other_environments" {
  command = plan
  variables {
    environments = ["staging", "prod"]
  }
  expect_failures = [var.environments]
}

run "refuses_names_that_do_not_fit" {
  command = plan
  variables {
    platform = "The_Platform"
    secrets  = ["Slack_Webhook"]
    topics   = []
  }
  expect_failures = [var.platform, var.secrets, var.topics]
}

run "without_roles" {
  command = plan

  assert {
    condition     = module.access.parameters == { "/ferryman/operator/access/scr" = "{\"grants\":[]}" }
    error_message = "a parameter that is there and lets nobody in"
  }
}

run "with_roles" {
  command = plan
  variables {
    access = [
      { role = "viewer", environments = ["*"], principals = ["permission-set/Developers"] },
      { role = "deployer", environments = ["staging", "production"], principals = ["arn:aws:iam::123456789012:role/teams/Dev", "arn:aws:iam::123456789012:user/ada@example.com"] },
    ]
  }

  assert {
    condition     = jsondecode(module.access.parameters["/ferryman/operator/access/scr"]).grants[1].role == "deployer"
    error_message = "what was given, as JSON"
  }
}

run "refuses_an_unknown_role_and_admins" {
  command = plan
  variables {
    access = [{ role = "admin", environments = ["*"], principals = ["permission-set/Developers"] }]
  }
  expect_failures = [var.access]
}

run "refuses_a_principal_that_is_everybody" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["*"], principals = ["*"] }]
  }
  expect_failures = [var.access]
}

run "refuses_a_principal_with_a_wildcard" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["*"], principals = ["arn:aws:iam::123456789012:role/*"] }]
  }
  expect_failures = [var.access]
}

run "refuses_the_root_of_an_account" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["*"], principals = ["arn:aws:iam::123456789012:root"] }]
  }
  expect_failures = [var.access]
}

run "refuses_every_environment_beside_one" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["*", "staging"], principals = ["permission-set/Developers"] }]
  }
  expect_failures = [var.access]
}

run "refuses_a_grant_to_nobody" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["staging"], principals = [] }]
  }
  expect_failures = [var.access]
}

run "refuses_more_than_a_parameter_holds" {
  command = plan
  variables {
    access = [{ role = "viewer", environments = ["*"], principals = [for i in range(200) : "arn:aws:iam::123456789012:user/somebody-${i}"] }]
  }
  expect_failures = [var.access]
}

run "refuses_a_platform_that_is_called_operator" {
  command = plan
  variables {
    platform = "operator"
  }
  expect_failures = [var.platform]
}

run "refuses_a_secret_without_a_use" {
  command = plan
  variables {
    secrets = ["slack-webhook", "team-signing-secret"]
  }
  expect_failures = [var.secrets]
}
