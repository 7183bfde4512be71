variables {
  github_repository = "acme/scr-platform"
}

run "refuses_a_missing_repository" {
  command = plan
  variables {
    github_repository = null
  }
  expect_failures = [var.github_repository]
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

run "refuses_a_secret_without_a_use" {
  command = plan
  variables {
    secrets = ["slack-webhook", "team-signing-secret"]
  }
  expect_failures = [var.secrets]
}

run "refuses_a_platform_that_the_operator_does_not_serve" {
  command = plan
  variables {
    platforms = { scr = {} }
    platform  = "shop"
  }
  expect_failures = [var.platform]
}

run "a_second_platform" {
  command = plan
  variables {
    platforms = { scr = {}, shop = { topics = ["orders"], mail_identities = ["shop.example.com"] } }
    platform  = "shop"
  }

  assert {
    condition     = toset(keys(module.document.parameters)) == toset([for name in ["orders-topic", "slack-webhook", "slack-bot-token", "slack-signing-secret", "github"] : "/ferryman/shop/channels/${name}-arn"])
    error_message = "what it has of its own, under its own name"
  }
  assert {
    condition     = alltrue([for name in keys(output.repository_urls) : startswith(name, "shop-")]) && keys(module.access.parameters) == ["/ferryman/operator/access/shop"]
    error_message = "no name collides with the first platform's"
  }
}

# Which of the resources that the root shared had are taken over is a matter of its state: tests/terraform/test_upgrade.py.
