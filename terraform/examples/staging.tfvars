# terraform plan -var-file=../examples/platforms.tfvars -var-file=../examples/staging.tfvars
environment         = "staging"
aws_region          = "eu-west-1"
db_instance_class   = "db.t4g.medium"
redis_node_type     = "cache.t4g.micro"
api_cpu             = 512
api_memory          = 1024
acm_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"

domain       = "scr-platform.com"
alarm_emails = ["ops@scr-platform.com"]
