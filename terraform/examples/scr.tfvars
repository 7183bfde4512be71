# terraform plan -var-file=../examples/platforms.tfvars -var-file=../examples/scr.tfvars
platform          = "scr"
aws_region        = "eu-west-1"
github_repository = "acme/scr-platform"

# Who may do what. Without `access`, only the operator's admins may do anything.
access = [
  { role = "viewer", environments = ["*"], principals = ["permission-set/Developers"] },
  { role = "deployer", environments = ["staging"], principals = ["permission-set/Developers"] },
  { role = "deployer", environments = ["production"], principals = ["permission-set/Releases"] },
  { role = "approver", environments = ["production"], principals = ["permission-set/Releases"] },
]
