output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, one per zone, for the load balancer."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, one per zone, for tasks, database and cache."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "alb_security_group_id" {
  description = "Id of the load balancer's security group."
  value       = aws_security_group.alb.id
}

output "task_security_group_id" {
  description = "Id of the security group of all tasks."
  value       = aws_security_group.tasks.id
}

output "data_security_group_id" {
  description = "Id of the security group of the database and the cache."
  value       = aws_security_group.data.id
}
