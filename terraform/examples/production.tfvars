# terraform plan -var-file=../examples/platforms.tfvars -var-file=../examples/production.tfvars
environment         = "production"
aws_region          = "eu-west-1"
db_instance_class   = "db.m7g.large"
redis_node_type     = "cache.t4g.small"
api_cpu             = 1024
api_memory          = 2048
acm_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/fedcba98-7654-3210-fedc-ba9876543210"

domain       = "scr-platform.com"
alarm_emails = ["ops@scr-platform.com", "on-call@scr-platform.com"]
