provider "aws" {
  region = "eu-west-1"
}

variables {
  path  = "/ferryman/scr/staging"
  texts = { api-url = "https://api.example.com", "task-definitions/scr-api-staging" = "arn:aws:ecs:eu-west-1:123456789012:task-definition/scr-api-staging:1" }
  lists = { private-subnet-ids = ["subnet-1", "subnet-2"] }
}

run "parameters" {
  command = plan

  assert {
    condition = output.parameters == {
      "/ferryman/scr/staging/api-url"                          = "https://api.example.com"
      "/ferryman/scr/staging/task-definitions/scr-api-staging" = "arn:aws:ecs:eu-west-1:123456789012:task-definition/scr-api-staging:1"
      "/ferryman/scr/staging/private-subnet-ids"               = "subnet-1,subnet-2"
    }
    error_message = "names below the path, lists joined by commas"
  }
  assert {
    condition     = alltrue([for p in aws_ssm_parameter.text : p.type == "String"]) && alltrue([for p in aws_ssm_parameter.list : p.type == "StringList"])
    error_message = "never SecureString: the operator refuses it"
  }
}

run "refuses_a_path_that_the_operator_may_not_read" {
  command = plan
  variables {
    path = "/scr/staging/"
  }
  expect_failures = [var.path]
}

run "refuses_empty_lists" {
  command = plan
  variables {
    lists = { topic-arns = [] }
  }
  expect_failures = [var.lists]
}

run "refuses_values_with_commas" {
  command = plan
  variables {
    lists = { names = ["a,b"] }
  }
  expect_failures = [var.lists]
}

run "refuses_what_a_parameter_does_not_hold" {
  command = plan
  variables {
    lists = { names = [for i in range(500) : "arn:aws:iam::123456789012:role/${i}"] }
  }
  expect_failures = [var.lists]
}

run "a_long_text_is_an_advanced_parameter" {
  command = plan
  variables {
    texts = { scr = join("", [for i in range(1000) : "xxxxx"]), api-url = "https://api.example.com" }
  }

  assert {
    condition     = aws_ssm_parameter.text["scr"].tier == "Advanced" && aws_ssm_parameter.text["api-url"].tier == "Standard"
    error_message = "a standard parameter holds 4,096 characters"
  }
}

run "refuses_a_text_that_no_parameter_holds" {
  command = plan
  variables {
    texts = { scr = join("", [for i in range(1000) : "xxxxxxxxx"]) }
  }
  expect_failures = [var.texts]
}
