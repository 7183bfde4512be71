# The only public entry point: HTTPS. Requests go to the API by its host name or under /api/, all others to the web.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  bucket     = "${var.name}-alb-logs-${data.aws_caller_identity.current.account_id}"
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_28:no WAF unless web_acl_arn is set: it costs more than the rest of the load balancer of a small staging environment
  #checkov:skip=CKV2_AWS_76:no WAF unless web_acl_arn is set, and nothing here runs Java
  #checkov:skip=CKV_AWS_150:on in production, off in staging, which people delete and recreate
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids
  security_groups            = [var.security_group_id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
  idle_timeout               = 60

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }

  # Without the policy, the load balancer cannot write access logs, and creating it fails.
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; from there, traffic stays in one private network and one security group
  for_each = var.targets

  name        = "${var.name}-${each.key}"
  vpc_id      = var.vpc_id
  target_type = "ip" # Fargate
  protocol    = "HTTP"
  port        = each.value.port

  # The default of 300 s would be the longest part of every rollout. Responses here take seconds.
  deregistration_delay = 30

  health_check {
    path                = each.value.path
    matcher             = each.value.matcher
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06" # at least TLS 1.2, preferably 1.3
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["web"].arn
  }
}

# Before the path rule: GET /health of the API's host must reach the API, but its path is not under /api/.
resource "aws_lb_listener_rule" "api_host" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  condition {
    host_header {
      values = [var.api_host]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["api"].arn
  }
}

resource "aws_lb_listener_rule" "api_path" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 100

  condition {
    path_pattern {
      values = ["/api/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["api"].arn
  }
}

# ─── Access logs ──────────────────────────────────────────────────────────────────────────────────────────────────────

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_18:this is the bucket of access logs; logging access to it into itself would never end
  #checkov:skip=CKV_AWS_21:log files are written once and never changed
  #checkov:skip=CKV_AWS_144:request logs, kept for days; a second region adds nothing
  #checkov:skip=CKV_AWS_145:load balancers can write only to buckets that are encrypted with S3's own key
  #checkov:skip=CKV2_AWS_62:nothing processes log files as they arrive
  bucket        = local.bucket
  force_destroy = !var.protected # otherwise, a bucket that is not empty stops a destroy
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256" # load balancers support nothing else
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "forget"
    status = "Enabled"
    filter {}

    expiration {
      days = var.log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "LoadBalancersOfThisAccountWrite"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/AWSLogs/${data.aws_caller_identity.current.account_id}/*"]
    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arn, "${local.bucket_arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}
