provider "aws" {
  region = "eu-west-1"
}

variables {
  name              = "scr-staging"
  vpc_id            = "vpc-0123456789abcdef0"
  subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_id = "sg-0123456789abcdef0"
  certificate_arn   = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
  api_host          = "api.staging.scr-platform.com"
  protected         = false
  log_days          = 14
  targets = {
    api = { port = 8000, path = "/health", matcher = "200" }
    web = { port = 3000, path = "/", matcher = "200,307" }
  }
}

run "the_guides_listeners" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "HTTPS, TLS 1.2 at least"
  }
  assert {
    condition     = aws_lb_listener.http.port == 80 && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP is redirected for good"
  }
}

# Which target group a request goes to is known after apply; overriding the two tells them apart.
run "routing" {
  command = plan

  override_resource {
    target          = aws_lb_target_group.this["api"]
    override_during = plan
    values          = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1" }
  }
  override_resource {
    target          = aws_lb_target_group.this["web"]
    override_during = plan
    values          = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/2" }
  }

  assert {
    condition     = aws_lb_listener_rule.api_host.priority < aws_lb_listener_rule.api_path.priority
    error_message = "the host rule comes first"
  }
  assert {
    condition     = one([for c in aws_lb_listener_rule.api_host.condition : c.host_header[0].values]) == toset(["api.staging.scr-platform.com"])
    error_message = "every path of the API's host goes to the API"
  }
  assert {
    condition     = one([for c in aws_lb_listener_rule.api_path.condition : c.path_pattern[0].values]) == toset(["/api/*"])
    error_message = "the guide's path rule"
  }
  assert {
    condition     = endswith(aws_lb_listener_rule.api_host.action[0].target_group_arn, "api/1") && endswith(aws_lb_listener_rule.api_path.action[0].target_group_arn, "api/1")
    error_message = "both rules lead to the API"
  }
  assert {
    condition     = endswith(aws_lb_listener.https.default_action[0].target_group_arn, "web/2")
    error_message = "everything else goes to the web"
  }
}

run "targets" {
  command = plan

  assert {
    condition     = aws_lb_target_group.this["api"].port == 8000 && aws_lb_target_group.this["api"].health_check[0].path == "/health" && aws_lb_target_group.this["api"].health_check[0].matcher == "200"
    error_message = "the API is healthy when /health says 200"
  }
  assert {
    condition     = aws_lb_target_group.this["web"].port == 3000 && aws_lb_target_group.this["web"].health_check[0].matcher == "200,307"
    error_message = "the web may redirect to the sign-in"
  }
  assert {
    condition     = alltrue([for g in aws_lb_target_group.this : tonumber(g.deregistration_delay) <= 30 && g.target_type == "ip"])
    error_message = "draining does not dominate a rollout"
  }
}

run "access_logs" {
  command = plan

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && !aws_lb.this.enable_deletion_protection && aws_s3_bucket.logs.force_destroy && aws_lb.this.drop_invalid_header_fields
    error_message = "logged; staging can be deleted"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.logs.rule[0].expiration[0].days == 14
    error_message = "access logs are kept as long as the others"
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.logs.block_public_acls, aws_s3_bucket_public_access_block.logs.block_public_policy,
      aws_s3_bucket_public_access_block.logs.ignore_public_acls, aws_s3_bucket_public_access_block.logs.restrict_public_buckets,
    ])
    error_message = "the bucket is closed to the public"
  }
  assert {
    condition     = one([for s in jsondecode(data.aws_iam_policy_document.logs.json).Statement : s.Principal.Service if s.Effect == "Allow"]) == "logdelivery.elasticloadbalancing.amazonaws.com"
    error_message = "only load balancers write into it"
  }
}

run "production_is_protected" {
  command = plan
  variables {
    protected   = true
    web_acl_arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/01234567-89ab-cdef-0123-456789abcdef"
  }

  assert {
    condition     = aws_lb.this.enable_deletion_protection && !aws_s3_bucket.logs.force_destroy && length(aws_wafv2_web_acl_association.this) == 1
    error_message = "protected from deletion, with a WAF when one is named"
  }
}
