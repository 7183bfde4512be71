terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.66"
    }
  }

  # The rest is in ../examples/*.s3.tfbackend: terraform init -backend-config=…
  backend "s3" {
    encrypt      = true
    use_lockfile = true # stores the lock beside the state, so no table is needed
  }
}
