# Before, this root had one platform. What is the platform's is now in the root `platform`, which imports it
# (import_from_shared); here, it is only forgotten, and nothing is destroyed.

moved {
  from = module.github_oidc.aws_iam_openid_connect_provider.github
  to   = aws_iam_openid_connect_provider.github
}

removed {
  from = module.ecr

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.github_oidc.aws_iam_role.ci

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.github_oidc.aws_iam_role_policy.ci

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.channels

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.access

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.document

  lifecycle {
    destroy = false
  }
}

# The rule for push events needs no names any more. The list stays for an operator that is not updated yet.
moved {
  from = module.operator.aws_ssm_parameter.list["repository-names"]
  to   = aws_ssm_parameter.repository_names
}

removed {
  from = aws_ssm_parameter.repository_names

  lifecycle {
    destroy = false
  }
}
