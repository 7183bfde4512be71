output "dns_name" {
  description = "DNS name that the records of the host names point to."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone id of the DNS name, for alias records."
  value       = aws_lb.this.zone_id
}

output "arn_suffix" {
  description = "The load balancer, as it is named in metrics."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arns" {
  description = "Component → ARN of its target group."
  # Only after its listener: ECS rejects a service if no load balancer uses its target group.
  value      = { for name, group in aws_lb_target_group.this : name => group.arn }
  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.api_host, aws_lb_listener_rule.api_path]
}

output "target_group_arn_suffixes" {
  description = "Component → target group, as it is named in metrics."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}
