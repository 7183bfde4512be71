output "operator_parameters" {
  description = "SSM parameters that the operator's SAM template reads."
  value       = module.operator.parameters
}

output "alarm_topic_arn" {
  description = "ARN of the topic of the operator's own alarms."
  value       = module.alarm_topic.arn
}
