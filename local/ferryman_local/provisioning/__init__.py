"""Creates on the local AWS what Terraform and `sam deploy` create on AWS."""
