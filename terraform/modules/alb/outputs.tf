output "dns_name" {
  description = "Name to point DNS records at."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Hosted zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "arn_suffix" {
  description = "The load balancer, as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arns" {
  description = "Component → target group."
  # Only after its listener: ECS refuses a service whose target group no load balancer uses.
  value      = { for name, group in aws_lb_target_group.this : name => group.arn }
  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.api_host, aws_lb_listener_rule.api_path]
}

output "target_group_arn_suffixes" {
  description = "Component → target group, as metrics name it."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}
