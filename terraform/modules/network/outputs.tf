output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Public subnets, one per zone: the load balancer's."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Private subnets, one per zone: tasks, database, cache."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "alb_security_group_id" {
  description = "Group of the load balancer."
  value       = aws_security_group.alb.id
}

output "task_security_group_id" {
  description = "Group of all tasks."
  value       = aws_security_group.tasks.id
}

output "data_security_group_id" {
  description = "Group of the database and the cache."
  value       = aws_security_group.data.id
}
