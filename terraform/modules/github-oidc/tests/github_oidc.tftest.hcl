provider "aws" {
  region = "eu-west-1"
}

variables {
  platform              = "scr"
  repository            = "acme/scr-platform"
  branch                = "main"
  image_repository_arns = ["arn:aws:ecr:eu-west-1:123456789012:repository/scr-api", "arn:aws:ecr:eu-west-1:123456789012:repository/scr-web"]
}

run "who_may_take_a_role" {
  command = plan

  assert {
    condition = jsondecode(data.aws_iam_policy_document.trust["push"].json).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:acme/scr-platform:ref:refs/heads/main"
    }
    error_message = "images come from one branch of one repository, with a token that is meant for AWS"
  }
  assert {
    condition     = jsondecode(data.aws_iam_policy_document.trust["tag"].json).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == "repo:acme/scr-platform:ref:refs/tags/v*"
    error_message = "versions come from tags v* of the same repository"
  }
  assert {
    condition     = jsondecode(data.aws_iam_policy_document.trust["tag"].json).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    error_message = "the audience is checked for both"
  }
  assert {
    condition     = jsondecode(data.aws_iam_policy_document.trust["push"].json).Statement[0].Action == "sts:AssumeRoleWithWebIdentity"
    error_message = "roles are taken with GitHub's token, not with keys"
  }
}

run "what_the_roles_can_do" {
  command = plan

  assert {
    condition = alltrue([
      for s in jsondecode(data.aws_iam_policy_document.push.json).Statement :
      s.Resource != "*" || s.Action == "ecr:GetAuthorizationToken"
    ])
    error_message = "only GetAuthorizationToken, which knows no resources, is allowed on all"
  }
  assert {
    condition     = toset(flatten([for s in jsondecode(data.aws_iam_policy_document.push.json).Statement : s.Resource if s.Sid == "PushImages"])) == toset(var.image_repository_arns)
    error_message = "images are pushed to the named repositories only"
  }
  assert {
    condition = alltrue([
      for json in [data.aws_iam_policy_document.push.json, data.aws_iam_policy_document.tag.json] : alltrue([
        for action in flatten([for s in jsondecode(json).Statement : s.Action]) : startswith(action, "ecr:") && !strcontains(action, "*") && !strcontains(action, "Delete")
      ])
    ])
    error_message = "CI touches ECR and nothing else, deletes nothing, deploys nothing"
  }
  assert {
    condition     = !contains(flatten([for s in jsondecode(data.aws_iam_policy_document.tag.json).Statement : s.Action]), "ecr:UploadLayerPart")
    error_message = "a version is a second name of what is there; nothing new comes in under it"
  }
}

run "the_accounts_provider" {
  command = plan

  assert {
    condition     = endswith(jsondecode(data.aws_iam_policy_document.trust["push"].json).Statement[0].Principal.Federated, ":oidc-provider/token.actions.githubusercontent.com")
    error_message = "one for all platforms, which shared creates"
  }
}
