# terraform plan -var-file=../examples/shared.tfvars
aws_region        = "eu-west-1"
github_repository = "acme/scr-platform"
mail_identities   = ["scr-platform.com"]
