output "log_groups" {
  description = "Family → name of its log group, available after it is created."
  value       = { for family, group in aws_cloudwatch_log_group.containers : family => group.name }
}

output "alarm_topic_arn" {
  description = "ARN of the topic that receives alarms."
  value       = aws_sns_topic.alarms.arn
}
