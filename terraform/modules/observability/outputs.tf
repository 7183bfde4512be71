output "log_groups" {
  description = "Family → name of its log group, once it is there."
  value       = { for family, group in aws_cloudwatch_log_group.containers : family => group.name }
}

output "alarm_topic_arn" {
  description = "Topic that hears of alarms."
  value       = aws_sns_topic.alarms.arn
}
