provider "aws" {
  region = "eu-west-1"
}

variables {
  name           = "scr-staging"
  cidr           = "10.20.0.0/16"
  zones          = 2
  nat_per_zone   = false
  ports          = { balanced = [8000, 3000], internal = [8000, 8100] }
  retention_days = 14
  protected      = false
  kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "two_zones_one_nat" {
  command = plan

  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2
    error_message = "a public and a private subnet per zone"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_eip.nat) == 1
    error_message = "one NAT gateway for all zones"
  }
  assert {
    condition     = toset([for s in concat(values(aws_subnet.public), values(aws_subnet.private)) : s.cidr_block]) == toset(["10.20.0.0/20", "10.20.16.0/20", "10.20.64.0/20", "10.20.80.0/20"])
    error_message = "subnets are sixteenths of the VPC and don't overlap"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.public : !s.map_public_ip_on_launch])
    error_message = "nothing gets a public address by being started somewhere"
  }
  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"]) && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "images, logs and secrets don't leave AWS's network"
  }
  assert {
    condition     = alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled])
    error_message = "without private names the endpoints would be paid for and not used"
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.retention_in_days == 14
    error_message = "flow logs are kept as long as the rest"
  }
}

run "three_zones_three_nats" {
  command = plan
  variables {
    zones        = 3
    nat_per_zone = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.nat) == 3
    error_message = "each zone has its own way out"
  }
  assert {
    condition     = aws_subnet.private["eu-west-1c"].cidr_block == "10.20.96.0/20" && aws_subnet.private["eu-west-1a"].cidr_block == "10.20.64.0/20"
    error_message = "a third zone moves no subnet of the first two"
  }
}

run "who_may_talk_to_whom" {
  command = plan

  assert {
    condition = toset([for r in concat(
      values(aws_vpc_security_group_ingress_rule.alb), values(aws_vpc_security_group_ingress_rule.tasks_from_alb),
      values(aws_vpc_security_group_ingress_rule.tasks_from_tasks), values(aws_vpc_security_group_ingress_rule.data_from_tasks),
      [aws_vpc_security_group_ingress_rule.endpoints_from_tasks],
    ) : r.from_port if r.cidr_ipv4 == "0.0.0.0/0"]) == toset([80, 443])
    error_message = "the internet reaches ports 80 and 443 of the load balancer, nothing else"
  }
  assert {
    condition     = !contains([for r in aws_vpc_security_group_ingress_rule.tasks_from_alb : r.from_port], 8100)
    error_message = "the load balancer can't reach the gateway"
  }
  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.tasks_from_tasks : r.from_port]) == toset([8000, 8100])
    error_message = "tasks reach each other on the internal ports only"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.tasks_to_https.from_port == 443 && aws_vpc_security_group_egress_rule.tasks_to_https.ip_protocol == "tcp"
    error_message = "outwards tasks speak HTTPS only"
  }
}

run "refuses_what_is_no_range" {
  command = plan
  variables {
    cidr = "10.20.0.0"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_range_too_small" {
  command = plan
  variables {
    cidr = "10.20.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_range_too_large" {
  command = plan
  variables {
    cidr = "10.0.0.0/8"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_range_inside_another" {
  command = plan
  variables {
    cidr = "10.20.1.0/16"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_public_range" {
  command = plan
  variables {
    cidr = "52.20.0.0/16"
  }
  expect_failures = [var.cidr]
}

run "refuses_an_overlap_inside_a_larger_peer" {
  command = plan
  variables {
    peer_cidrs = ["172.16.0.0/12", "10.0.0.0/8"]
  }
  expect_failures = [var.peer_cidrs]
}

run "refuses_an_overlap_with_a_smaller_peer" {
  command = plan
  variables {
    peer_cidrs = ["10.20.200.0/24"]
  }
  expect_failures = [var.peer_cidrs]
}

run "takes_neighbours" {
  command = plan
  variables {
    cidr       = "10.20.4.0/22"
    peer_cidrs = ["10.20.0.0/22", "10.20.8.0/21", "192.168.0.0/16"]
  }

  assert {
    condition     = aws_subnet.private["eu-west-1a"].cidr_block == "10.20.5.0/26"
    error_message = "the smallest range that is taken has subnets of 64 addresses"
  }
}

run "refuses_four_zones" {
  command = plan
  variables {
    zones = 4
  }
  expect_failures = [var.zones]
}

run "logs_of_production" {
  command = plan
  variables {
    protected = true
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.deletion_protection_enabled
    error_message = "protected as the containers' logs are"
  }
}
