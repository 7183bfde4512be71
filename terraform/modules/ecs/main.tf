# The cluster and what all its services share: Service Connect, which makes the gateway reachable from inside only.

data "aws_region" "current" {}

locals {
  # Everything that has a task definition: the services and the migration, which is its component without a port.
  tasks = merge(
    { for component, service in var.services : service.family => merge(service, { container = component, command = null }) },
    {
      (var.migration.family) = merge(var.services[var.migration.component], var.migration, {
        container       = var.migration.component
        port            = null
        health_command  = null
        task_policy     = null
        has_task_policy = false
      })
    },
  )
}

resource "aws_service_discovery_http_namespace" "this" {
  name        = var.cluster_name
  description = "Service Connect of ${var.cluster_name}"
}

resource "aws_ecs_cluster" "this" {
  name = var.cluster_name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.this.arn
  }
}
