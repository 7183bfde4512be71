provider "aws" {
  region = "eu-west-1"
}

variables {
  name                      = "scr-staging"
  log_groups                = { scr-api-staging = "/ecs/scr-api-staging", scr-web-staging = "/ecs/scr-web-staging" }
  retention_days            = 14
  protected                 = false
  services                  = { api = "scr-api-staging", web = "scr-web-staging" }
  alb_arn_suffix            = "app/scr-staging/0123456789abcdef"
  target_group_arn_suffixes = { api = "targetgroup/scr-staging-api/1", web = "targetgroup/scr-staging-web/2" }
  database_id               = "scr-staging"
  redis_id                  = "scr-staging"
  kms_key_arn               = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  alarm_emails              = ["ops@scr-platform.com"]
}

run "logs" {
  command = plan

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.containers : g.retention_in_days == 14 && g.kms_key_id == var.kms_key_arn && !g.deletion_protection_enabled]) && length(aws_cloudwatch_log_group.containers) == 2
    error_message = "a log group per family, kept for 14 days, encrypted"
  }
}

run "logs_of_production" {
  command = plan
  variables {
    retention_days = 90
    protected      = true
  }

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.containers : g.retention_in_days == 90 && g.deletion_protection_enabled])
    error_message = "90 days in production, and no deletion before somebody asks for it"
  }
}

run "alarms" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 6 + 2 * 2 + 3 * 2
    error_message = "six of the environment, two per target group, three per service"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["api-not-running"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["api-no-healthy-target"].treat_missing_data == "breaching"
    error_message = "silence of what must run is an alarm"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["api-slow"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.this["api-slow"].statistic == null
    error_message = "a percentile is an extended statistic"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database-storage"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["database-cpu"].comparison_operator == "GreaterThanThreshold"
    error_message = "each alarm rings in the right direction"
  }
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn && length(aws_sns_topic_subscription.alarms) == 1
    error_message = "alarms go to an encrypted topic that somebody reads"
  }
}

run "dashboard" {
  command = plan

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8
    error_message = "requests, errors, latency, tasks, CPU, memory, database, Redis"
  }
  assert {
    condition     = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.x + w.width <= 24 && w.properties.region == "eu-west-1"])
    error_message = "two widgets in a row, of this region"
  }
}
