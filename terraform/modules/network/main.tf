# VPC, public and private subnets, NAT, endpoints, and all security groups. The groups are here because they refer to each
# other; modules that attach one get its id from the outputs.

data "aws_region" "current" {}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:only the first two or three zones are used, so a zone that AWS adds changes nothing
  state = "available"

  # No local or wavelength zones: they have no Fargate and no RDS.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, var.zones)

  # Sixteen equal parts: public subnets use the first ones and private subnets those from the fifth on, so that a third
  # zone can be added later without moving a subnet.
  subnets = {
    for i, zone in local.zones : zone => {
      public  = cidrsubnet(var.cidr, 4, i)
      private = cidrsubnet(var.cidr, 4, i + 4)
    }
  }
  nat_zones = var.nat_per_zone ? local.zones : slice(local.zones, 0, 1)
  endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private names of the endpoints

  tags = { Name = var.name }
}

# By default, this group allows traffic between its members. Without rules, nothing can use it by accident.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.public
  map_public_ip_on_launch = false # only for the load balancer and the NAT gateways, which have addresses of their own

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.subnets

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value.private

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0" # this makes a subnet public
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public.id
  subnet_id      = each.value.id
}

resource "aws_route_table" "private" {
  for_each = local.subnets

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route" "nat" {
  for_each = local.subnets

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0" # outbound only, through NAT
  nat_gateway_id         = aws_nat_gateway.this[var.nat_per_zone ? each.key : local.zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private[each.key].id
  subnet_id      = each.value.id
}

# ─── Endpoints: image pulls, logs and secrets stay inside AWS and cost no NAT traffic ─────────────────────────────────

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.endpoints)

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.key}" }
}

# ─── Security groups: who can reach whom ──────────────────────────────────────────────────────────────────────────────

resource "aws_security_group" "alb" {
  #checkov:skip=CKV2_AWS_5:attached in another module that gets its id from the outputs
  name        = "${var.name}-alb"
  description = "The load balancer: the only thing that the internet reaches"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-alb" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:attached in another module that gets its id from the outputs
  name        = "${var.name}-tasks"
  description = "All tasks of the environment, migrations included"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-tasks" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "data" {
  #checkov:skip=CKV2_AWS_5:attached in another module that gets its id from the outputs
  name        = "${var.name}-data"
  description = "Database and cache: answer tasks, start nothing"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-data" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Interface endpoints: answer tasks, start nothing"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-endpoints" }

  lifecycle {
    create_before_destroy = true
  }
}

# The only rule that allows traffic from the internet: the load balancer's two ports.
resource "aws_vpc_security_group_ingress_rule" "alb" {
  #checkov:skip=CKV_AWS_260:port 80 only redirects to HTTPS, because people type addresses without a scheme
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.alb.id
  description       = "The internet, ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "alb_to_tasks" {
  for_each = toset([for port in var.ports.balanced : tostring(port)])

  security_group_id            = aws_security_group.alb.id
  description                  = "Tasks, port ${each.key}"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}

resource "aws_vpc_security_group_ingress_rule" "tasks_from_alb" {
  for_each = toset([for port in var.ports.balanced : tostring(port)])

  security_group_id            = aws_security_group.tasks.id
  description                  = "The load balancer, port ${each.key}"
  referenced_security_group_id = aws_security_group.alb.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}

# On Fargate, Service Connect's proxy listens on the container's port, so it needs the same ports.
resource "aws_vpc_security_group_ingress_rule" "tasks_from_tasks" {
  for_each = toset([for port in var.ports.internal : tostring(port)])

  security_group_id            = aws_security_group.tasks.id
  description                  = "Other tasks, port ${each.key}"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_tasks" {
  for_each = toset([for port in var.ports.internal : tostring(port)])

  security_group_id            = aws_security_group.tasks.id
  description                  = "Other tasks, port ${each.key}"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_https" {
  security_group_id = aws_security_group.tasks.id
  # AWS's services, Clerk and Anthropic have no fixed addresses that a rule could name.
  description = "HTTPS to any address"
  cidr_ipv4   = "0.0.0.0/0"
  ip_protocol = "tcp"
  from_port   = 443
  to_port     = 443
}

locals {
  data_ports = { postgresql = 5432, redis = 6379 }
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_data" {
  for_each = local.data_ports

  security_group_id            = aws_security_group.tasks.id
  description                  = each.key
  referenced_security_group_id = aws_security_group.data.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "data_from_tasks" {
  for_each = local.data_ports

  security_group_id            = aws_security_group.data.id
  description                  = "Tasks, ${each.key}"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_tasks" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "Tasks"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# ─── Flow logs: only rejected packets; accepted requests are in the access logs ───────────────────────────────────────

resource "aws_cloudwatch_log_group" "flow" {
  #checkov:skip=CKV_AWS_338:kept as long as the containers' logs; a year of rejected packets helps nobody
  name                        = "/vpc/${var.name}"
  retention_in_days           = var.retention_days
  kms_key_id                  = var.kms_key_arn
  deletion_protection_enabled = var.protected
}

data "aws_iam_policy_document" "flow_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "flow" {
  name               = "${var.name}-flow-logs"
  assume_role_policy = data.aws_iam_policy_document.flow_trust.json
}

data "aws_iam_policy_document" "flow" {
  statement {
    sid       = "WriteFlowLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.flow.arn}:*"]
  }
}

resource "aws_iam_role_policy" "flow" {
  name   = "write-flow-logs"
  role   = aws_iam_role.flow.id
  policy = data.aws_iam_policy_document.flow.json
}

resource "aws_flow_log" "rejected" {
  vpc_id               = aws_vpc.this.id
  traffic_type         = "REJECT"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow.arn
  iam_role_arn         = aws_iam_role.flow.arn

  tags = { Name = var.name }
}
