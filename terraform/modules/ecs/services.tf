resource "aws_ecs_task_definition" "base" {
  for_each = local.tasks

  family                   = each.key
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.task[each.key].arn
  execution_role_arn       = aws_iam_role.execution[each.key].arn

  # The operator derives its revisions from this one, and a rollback uses a revision that was derived from an older one.
  # So publishing a newer revision must not make any older revision INACTIVE.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  container_definitions = jsonencode([merge(
    {
      name        = each.value.container
      image       = "${each.value.repository_url}:${var.image_tag}"
      essential   = true
      environment = [for name in sort(keys(each.value.environment)) : { name = name, value = each.value.environment[name] }]
      secrets     = [for name in sort(keys(each.value.secrets)) : { name = name, valueFrom = each.value.secrets[name] }]

      # Only tmpfs is writable. A bind mount would belong to root, and the images do not run as root; tmpfs has mode 1777.
      readonlyRootFilesystem = true
      linuxParameters = {
        initProcessEnabled = true
        tmpfs              = [for path in each.value.scratch : { containerPath = path, size = 64 }]
      }

      stopTimeout = 30
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = each.value.log_group
          awslogs-region        = data.aws_region.current.region
          awslogs-stream-prefix = "ecs"
        }
      }
    },
    each.value.port == null ? {} : {
      portMappings = [{ name = each.value.container, containerPort = each.value.port, protocol = "tcp", appProtocol = "http" }]
    },
    each.value.health_command == null ? {} : {
      healthCheck = { command = each.value.health_command, interval = 30, timeout = 5, retries = 3, startPeriod = 60 }
    },
    each.value.command == null ? {} : { command = each.value.command },
  )])
}

resource "aws_ecs_service" "this" {
  for_each = var.services

  name            = each.value.family
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.base[each.value.family].arn
  desired_count   = each.value.count # final from the start: the operator never sets a count
  launch_type     = "FARGATE"

  # Start new tasks beside the old ones, and stop old tasks only when the new ones are healthy.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = each.value.target_group_arn == null ? null : 60

  # The operator rejects services without it (`ferryman verify`).
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  deployment_controller {
    type = "ECS"
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.value.target_group_arn == null ? [] : [each.value.target_group_arn]
    content {
      target_group_arn = load_balancer.value
      container_name   = each.key
      container_port   = each.value.port
    }
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.this.arn

    # Without this block, a service is only a client: it can reach others and cannot be reached.
    dynamic "service" {
      for_each = each.value.discoverable ? [each.value.port] : []
      content {
        port_name      = each.key
        discovery_name = each.key
        client_alias {
          dns_name = each.key
          port     = service.value
        }
      }
    }
  }

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  # A shell in production bypasses review, and its agent cannot run on a read-only file system.
  enable_execute_command = false

  lifecycle {
    ignore_changes = [
      task_definition, # the operator owns the running revision: an apply must never revert a release to the base
      desired_count,   # autoscaling and people own the count: an apply must never scale in a busy service
    ]
  }

  # If a service starts before its role has permissions, its first tasks fail, and the circuit breaker counts them.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task]
}

resource "aws_appautoscaling_target" "this" {
  for_each = var.autoscaling

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each = var.autoscaling

  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300 # slow, because a rollout briefly halves the load per task

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
