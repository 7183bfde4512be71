# Logs, alarms, and a dashboard.

data "aws_region" "current" {}

resource "aws_cloudwatch_log_group" "containers" {
  #checkov:skip=CKV_AWS_338:14 days in staging and 90 in production, as in the deployment guide
  for_each = var.log_groups

  name                        = each.value
  retention_in_days           = var.retention_days
  kms_key_id                  = var.kms_key_arn
  deletion_protection_enabled = var.protected
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  alb = { LoadBalancer = var.alb_arn_suffix }

  # One map instead of twenty resources: the metric, the threshold, and what to check first.
  alarms = merge(
    {
      alb-5xx = {
        text = "The load balancer itself returns 5xx: no healthy target, or timeouts. Check the health of the targets."
        of   = ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"], dimensions = local.alb
        stat = "Sum", period = 300, times = 1, above = 10
      }
      target-5xx = {
        text = "The applications return 5xx. Check the containers' logs and the latest deployment."
        of   = ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"], dimensions = local.alb
        stat = "Sum", period = 300, times = 1, above = 10
      }
      database-cpu = {
        text = "CPU utilization of the database is above 80%. Check Performance Insights."
        of   = ["AWS/RDS", "CPUUtilization"], dimensions = { DBInstanceIdentifier = var.database_id }
        stat = "Average", period = 300, times = 3, above = 80
      }
      database-storage = {
        text = "The database has less than 4 GiB of storage left. Storage grows automatically up to max_allocated_storage: raise this limit."
        of   = ["AWS/RDS", "FreeStorageSpace"], dimensions = { DBInstanceIdentifier = var.database_id }
        stat = "Minimum", period = 300, times = 1, below = 4 * 1024 * 1024 * 1024
      }
      redis-cpu = {
        text = "CPU utilization of Redis is above 80%. Redis uses only one core. Look for large keys and scans."
        of   = ["AWS/ElastiCache", "EngineCPUUtilization"], dimensions = { CacheClusterId = "${var.redis_id}-001" }
        stat = "Average", period = 300, times = 3, above = 80
      }
      redis-memory = {
        text = "Redis is nearly full and will evict keys. Look for keys without an expiry, or use a larger node."
        of   = ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage"], dimensions = { CacheClusterId = "${var.redis_id}-001" }
        stat = "Average", period = 300, times = 2, above = 80
      }
    },
    {
      for component, group in var.target_group_arn_suffixes : "${component}-no-healthy-target" => {
        text = "${component} has no healthy target. Check ferryman status, then the service's events in the ECS console."
        of   = ["AWS/ApplicationELB", "HealthyHostCount"], dimensions = merge(local.alb, { TargetGroup = group })
        stat = "Minimum", period = 60, times = 3, below = 1, silence = "breaching"
      }
    },
    {
      for component, group in var.target_group_arn_suffixes : "${component}-slow" => {
        text = "Five percent of the requests to ${component} take more than two seconds. Check CPU, database and gateway."
        of   = ["AWS/ApplicationELB", "TargetResponseTime"], dimensions = merge(local.alb, { TargetGroup = group })
        stat = "p95", period = 300, times = 3, above = 2
      }
    },
    {
      for component, service in var.services : "${component}-cpu" => {
        text = "CPU utilization of ${service} is above 90%. If autoscaling is on, the service scales out up to its limit."
        of   = ["AWS/ECS", "CPUUtilization"], dimensions = { ClusterName = var.name, ServiceName = service }
        stat = "Average", period = 300, times = 3, above = 90
      }
    },
    {
      for component, service in var.services : "${component}-memory" => {
        text = "Memory utilization of ${service} is above 90%. If it runs out, containers are killed (exit code 137)."
        of   = ["AWS/ECS", "MemoryUtilization"], dimensions = { ClusterName = var.name, ServiceName = service }
        stat = "Maximum", period = 300, times = 2, above = 90
      }
    },
    {
      for component, service in var.services : "${component}-not-running" => {
        text = "${service} has no running task. Check the service's events and the last stopped tasks."
        of   = ["ECS/ContainerInsights", "RunningTaskCount"], dimensions = { ClusterName = var.name, ServiceName = service }
        stat = "Maximum", period = 60, times = 5, below = 1, silence = "breaching"
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.of[0]
  metric_name         = each.value.of[1]
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  period              = each.value.period
  evaluation_periods  = each.value.times
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = can(each.value.below) ? each.value.below : each.value.above
  treat_missing_data  = try(each.value.silence, "notBreaching")
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

locals {
  # Title, metrics, statistic. Two widgets per row.
  widgets = [
    { title = "Requests", stat = "Sum", metrics = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.alb_arn_suffix]] },
    {
      title = "Errors", stat = "Sum", metrics = [
        ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.alb_arn_suffix],
        ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.alb_arn_suffix],
      ]
    },
    {
      title   = "Answers, 95th percentile", stat = "p95",
      metrics = [for group in var.target_group_arn_suffixes : ["AWS/ApplicationELB", "TargetResponseTime", "TargetGroup", group, "LoadBalancer", var.alb_arn_suffix]]
    },
    {
      title   = "Running tasks", stat = "Maximum",
      metrics = [for service in var.services : ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.name, "ServiceName", service]]
    },
    {
      title   = "CPU of the services", stat = "Average",
      metrics = [for service in var.services : ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", service]]
    },
    {
      title   = "Memory of the services", stat = "Maximum",
      metrics = [for service in var.services : ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", service]]
    },
    {
      title = "Database", stat = "Average", metrics = [
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database_id],
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database_id],
      ]
    },
    {
      title = "Redis", stat = "Average", metrics = [
        ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", "${var.redis_id}-001"],
        ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", "${var.redis_id}-001"],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for i, widget in local.widgets : {
        type = "metric", x = (i % 2) * 12, y = floor(i / 2) * 6, width = 12, height = 6
        properties = {
          title  = widget.title, metrics = widget.metrics, stat = widget.stat, period = 60, view = "timeSeries"
          region = data.aws_region.current.region
        }
      }
    ]
  })
}
