# What differs between staging and production, side by side. Names and values of single resources are the modules' tests.
variables {
  acm_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
}

run "staging_is_the_default" {
  command = plan

  assert {
    condition     = output.cluster == "scr-staging"
    error_message = "the guide's default"
  }
  assert {
    condition     = output.urls == { api = "https://api.staging.scr-platform.com", web = "https://staging.scr-platform.com" }
    error_message = "the guide's host names"
  }
  assert {
    condition     = module.ecs.desired_counts == { api = 1, ai-gateway = 1, web = 1 }
    error_message = "one task of each"
  }
  assert {
    condition     = local.here.autoscaling == {} && local.here.retention_days == 14 && !local.here.protected && !local.here.nat_per_zone
    error_message = "no scaling, 14 days of logs, no standby, one way out"
  }
  assert {
    condition     = toset(keys(module.secrets.arns)) == toset(["CLERK_SECRET_KEY", "ANTHROPIC_API_KEY", "ADMIN_TOKEN"])
    error_message = "what a person has to fill, as the README lists it"
  }
  assert {
    condition     = [for name in sort(keys(local.services)) : name if contains(keys(local.services[name].secrets), "ADMIN_TOKEN")] == ["api"]
    error_message = "the administrators' token is the API's alone"
  }
  assert {
    condition     = local.services.api.environment.FORWARDED_ALLOW_IPS == "10.20.0.0/16" && !contains(keys(local.services["ai-gateway"].environment), "FORWARDED_ALLOW_IPS")
    error_message = "the API believes the load balancer's network, the gateway nobody"
  }
  assert {
    condition     = length(aws_route53_record.this) == 0
    error_message = "no records without a zone"
  }
}

run "production" {
  command = plan
  variables {
    environment    = "production"
    hosted_zone_id = "Z0123456789ABC"
  }

  assert {
    condition     = output.cluster == "scr-production"
    error_message = "the guide's name"
  }
  assert {
    condition     = output.urls == { api = "https://api.scr-platform.com", web = "https://scr-platform.com" }
    error_message = "the domain itself"
  }
  assert {
    condition     = module.ecs.desired_counts == { api = 2, ai-gateway = 1, web = 2 }
    error_message = "the guide's counts"
  }
  assert {
    condition     = local.here.autoscaling.api == { min = 2, max = 10, cpu_percent = 70 } && length(keys(local.here.autoscaling)) == 1
    error_message = "the API scales from 2 to 10 at 70 % of CPU, nothing else scales"
  }
  assert {
    condition     = local.here.retention_days == 90 && local.here.protected && local.here.nat_per_zone && local.here.zones == 3
    error_message = "90 days of logs, protected, a way out of each zone"
  }
  assert {
    condition     = toset(keys(aws_route53_record.this)) == toset(["scr-platform.com", "api.scr-platform.com"])
    error_message = "records of both hosts when there is a zone"
  }
}
