# What the operator may touch, of one platform and of several.
run "what_the_operator_may_touch" {
  command = plan

  assert {
    condition     = length(split(",", module.operator.parameters["/ferryman/operator/pass-role-arns"])) == 16
    error_message = "four families with two roles each, in two environments, one by one"
  }
  assert {
    condition     = toset([for arn in split(",", module.operator.parameters["/ferryman/operator/cluster-arns"]) : split("/", arn)[1]]) == toset(["scr-staging", "scr-production"])
    error_message = "both clusters, also before they are there"
  }
  assert {
    condition     = module.operator.parameters["/ferryman/operator/repository-arns"] == "arn:aws:ecr:eu-west-1:123456789012:repository/scr-*"
    error_message = "the platform's repositories, as one pattern"
  }
}

run "one_environment" {
  command = plan
  variables {
    platforms = { scr = { environments = ["staging"] } }
  }

  assert {
    condition     = !strcontains(module.operator.parameters["/ferryman/operator/pass-role-arns"], "production") && !strcontains(module.operator.parameters["/ferryman/operator/cluster-arns"], "production")
    error_message = "an environment that is not listed is out of the operator's reach"
  }
}

run "two_platforms" {
  command = plan
  variables {
    platforms = {
      scr  = { mail_identities = ["scr-platform.com"] }
      shop = { environments = ["staging"], topics = ["orders"], mail_identities = ["shop.example.com"], roles_below_path = true }
    }
  }

  assert {
    condition     = toset([for arn in split(",", module.operator.parameters["/ferryman/operator/cluster-arns"]) : split("/", arn)[1]]) == toset(["scr-staging", "scr-production", "shop-staging"])
    error_message = "the union over both"
  }
  assert {
    condition = toset([
      for arn in split(",", module.operator.parameters["/ferryman/operator/pass-role-arns"]) : split(":role/", arn)[1] if strcontains(arn, "shop")
    ]) == toset(["ferryman/shop/staging/*"])
    error_message = "roles of the new platform are below its path, in its environments only"
  }
  assert {
    condition     = toset([for arn in split(",", module.operator.parameters["/ferryman/operator/topic-arns"]) : split(":", arn)[5]]) == toset(["scr-team", "shop-orders"])
    error_message = "topics are named one by one"
  }
  assert {
    condition     = toset([for arn in split(",", module.operator.parameters["/ferryman/operator/github-secret-arns"]) : split(":secret:", arn)[1]]) == toset(["ferryman/scr/github-*", "ferryman/shop/github-*"])
    error_message = "secrets for one use, of both"
  }
}

run "without_anything_to_send_to" {
  command = plan
  variables {
    platforms = { scr = { topics = [] } }
  }

  assert {
    condition     = endswith(module.operator.parameters["/ferryman/operator/topic-arns"], ":ferryman-none") && endswith(module.operator.parameters["/ferryman/operator/mail-identity-arns"], ":identity/ferryman-none")
    error_message = "lists that are not empty, and open nothing"
  }
  assert {
    condition     = endswith(module.operator.parameters["/ferryman/operator/job-arns"], ":schedule/ferryman-none/none") && endswith(module.operator.parameters["/ferryman/operator/job-role-arns"], ":role/ferryman-none")
    error_message = "the same without jobs"
  }
}

run "with_jobs" {
  command = plan
  variables {
    platforms = { scr = {
      job_arns      = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly", "arn:aws:events:eu-west-1:123456789012:rule/uploads", "arn:aws:scheduler:eu-west-1:123456789012:schedule/scr-production/*"]
      job_role_arns = ["arn:aws:iam::123456789012:role/scr-jobs", "arn:aws:iam::123456789012:role/ferryman/scr/*"]
    } }
  }

  assert {
    condition     = length(split(",", module.operator.parameters["/ferryman/operator/job-arns"])) == 3
    error_message = "exactly the schedules and rules that are named, and those of a group of the platform"
  }
}

run "refuses_all_schedules_at_once" {
  command = plan
  variables {
    platforms = { scr = { job_arns = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/*"] } }
  }
  expect_failures = [var.platforms]
}

run "refuses_jobs_of_another_platform" {
  command = plan
  variables {
    platforms = { scr = { job_arns = ["arn:aws:events:eu-west-1:123456789012:rule/shop-*"] } }
  }
  expect_failures = [var.platforms]
}

run "refuses_all_roles_at_once" {
  command = plan
  variables {
    platforms = { scr = { job_role_arns = ["arn:aws:iam::123456789012:role/*"] } }
  }
  expect_failures = [var.platforms]
}

run "refuses_roles_of_another_platform" {
  command = plan
  variables {
    platforms = { scr = { job_role_arns = ["arn:aws:iam::123456789012:role/ferryman/shop/*"] } }
  }
  expect_failures = [var.platforms]
}

run "refuses_names_that_do_not_fit" {
  command = plan
  variables {
    platforms = { The_Platform = {} }
  }
  expect_failures = [var.platforms]
}

run "refuses_a_platform_that_is_called_operator" {
  command = plan
  variables {
    platforms = { operator = {} }
  }
  expect_failures = [var.platforms]
}

run "refuses_platforms_whose_names_collide" {
  command = plan
  variables {
    platforms = { scr = {}, scr-api = {} }
  }
  expect_failures = [var.platforms]
}

run "refuses_a_mail_domain_of_two_platforms" {
  command = plan
  variables {
    platforms = { scr = { mail_identities = ["example.com"] }, shop = { mail_identities = ["example.com"] } }
  }
  expect_failures = [var.platforms]
}

run "refuses_a_platform_without_environments" {
  command = plan
  variables {
    platforms = { scr = { environments = [] } }
  }
  expect_failures = [var.platforms]
}
