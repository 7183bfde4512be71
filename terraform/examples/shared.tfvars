# terraform plan -var-file=../examples/platforms.tfvars -var-file=../examples/shared.tfvars
aws_region   = "eu-west-1"
alarm_emails = ["ops@scr-platform.com"]
