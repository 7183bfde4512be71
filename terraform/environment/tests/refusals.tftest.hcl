# Bad input is refused at plan time, each with a sentence that says what is allowed (tests/terraform/test_terraform.py
# reads the sentences).
variables {
  acm_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
}

run "environment_prod" {
  command = plan
  variables {
    environment = "prod"
  }
  expect_failures = [var.environment]
}

run "no_certificate" {
  command = plan
  variables {
    acm_certificate_arn = null
  }
  expect_failures = [var.acm_certificate_arn]
}

run "certificate_of_iam" {
  command = plan
  variables {
    acm_certificate_arn = "arn:aws:iam::123456789012:server-certificate/staging"
  }
  expect_failures = [var.acm_certificate_arn]
}

run "certificate_elsewhere" {
  command = plan
  variables {
    acm_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
  }
  expect_failures = [var.acm_certificate_arn]
}

run "database_of_no_size" {
  command = plan
  variables {
    db_instance_class = "db.t4g.huge"
  }
  expect_failures = [var.db_instance_class]
}

run "database_of_no_family" {
  command = plan
  variables {
    db_instance_class = "db.x99.large"
  }
  expect_failures = [var.db_instance_class]
}

run "database_that_is_a_cache" {
  command = plan
  variables {
    db_instance_class = "cache.t4g.micro"
  }
  expect_failures = [var.db_instance_class]
}

run "cache_of_no_size" {
  command = plan
  variables {
    redis_node_type = "cache.t4g.large"
  }
  expect_failures = [var.redis_node_type]
}

run "cpu_that_fargate_lacks" {
  command = plan
  variables {
    api_cpu = 500
  }
  expect_failures = [var.api_cpu]
}

run "memory_that_does_not_go_with_the_cpu" {
  command = plan
  variables {
    api_cpu    = 512
    api_memory = 8192
  }
  expect_failures = [var.api_memory]
}

run "region_and_domain" {
  command = plan
  variables {
    aws_region = "Ireland"
    domain     = "https://scr-platform.com"
  }
  expect_failures = [var.aws_region, var.domain]
}
