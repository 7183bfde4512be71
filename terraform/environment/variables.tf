# ─── The deployment guide's variables ─────────────────────────────────────────────────────────────────────────────────

variable "environment" {
  type        = string
  default     = "staging"
  description = "Environment: staging or production."

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment must be staging or production, written in full, not ${jsonencode(var.environment)}."
  }
}

variable "aws_region" {
  type        = string
  default     = "eu-west-1"
  description = "AWS region."

  validation {
    condition     = can(regex("^[a-z]{2}(-gov)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$", var.aws_region))
    error_message = "aws_region must be a region code, for example eu-west-1."
  }
}

variable "db_instance_class" {
  type        = string
  default     = "db.t4g.medium"
  description = "RDS instance class."

  validation {
    condition     = contains(keys(local.db_families), try(split(".", var.db_instance_class)[1], "")) && startswith(var.db_instance_class, "db.")
    error_message = "db_instance_class must be db.FAMILY.SIZE, for example db.t4g.medium, with one of these families: ${join(", ", keys(local.db_families))}."
  }
  validation {
    condition     = contains(try(local.db_families[split(".", var.db_instance_class)[1]], [try(split(".", var.db_instance_class)[2], "")]), try(split(".", var.db_instance_class)[2], ""))
    error_message = "db_instance_class ${var.db_instance_class} does not exist. This family has the sizes: ${join(", ", try(local.db_families[split(".", var.db_instance_class)[1]], []))}."
  }
}

variable "redis_node_type" {
  type        = string
  default     = "cache.t4g.micro"
  description = "ElastiCache node type."

  validation {
    condition     = contains(keys(local.redis_families), try(split(".", var.redis_node_type)[1], "")) && startswith(var.redis_node_type, "cache.")
    error_message = "redis_node_type must be cache.FAMILY.SIZE, for example cache.t4g.micro, with one of these families: ${join(", ", keys(local.redis_families))}."
  }
  validation {
    condition     = contains(try(local.redis_families[split(".", var.redis_node_type)[1]], [try(split(".", var.redis_node_type)[2], "")]), try(split(".", var.redis_node_type)[2], ""))
    error_message = "redis_node_type ${var.redis_node_type} does not exist. This family has the sizes: ${join(", ", try(local.redis_families[split(".", var.redis_node_type)[1]], []))}."
  }
}

variable "api_cpu" {
  type        = number
  default     = 512
  description = "ECS API task CPU units (512 = 0.5 vCPU)."

  validation {
    condition     = contains(keys(local.fargate), tostring(var.api_cpu))
    error_message = "api_cpu must be a size that Fargate supports: 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "api_memory" {
  type        = number
  default     = 1024
  description = "ECS API task memory (MiB)."

  validation {
    condition     = contains(try(local.fargate[tostring(var.api_cpu)], [var.api_memory]), var.api_memory)
    error_message = "api_memory must be a size that Fargate supports with api_cpu ${var.api_cpu}: ${join(", ", try(local.fargate[tostring(var.api_cpu)], []))} MiB."
  }
}

variable "acm_certificate_arn" {
  type        = string
  default     = null # required; null, so that the validation below can explain what is missing
  description = "Required. ACM certificate for the HTTPS listener of the load balancer. It must be in the same region and cover both host names."

  validation {
    condition     = var.acm_certificate_arn != null
    error_message = "acm_certificate_arn is required: the ARN of an issued ACM certificate in ${var.aws_region} for both host names, for example arn:aws:acm:${var.aws_region}:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef."
  }
  validation {
    condition     = var.acm_certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}$", var.acm_certificate_arn))
    error_message = "acm_certificate_arn must be the ARN of a certificate, arn:aws:acm:REGION:ACCOUNT:certificate/ID. IAM server certificates and other ids are not supported."
  }
  validation {
    condition     = try(split(":", var.acm_certificate_arn)[3], var.aws_region) == var.aws_region
    error_message = "acm_certificate_arn must be in ${var.aws_region}, the region of the load balancer. Request a certificate there (only CloudFront uses certificates from us-east-1)."
  }
}

# ─── Beyond the guide ─────────────────────────────────────────────────────────────────────────────────────────────────

variable "platform" {
  type        = string
  default     = "scr"
  description = "Name of the platform: metadata.name of the platform document, and prefix of all names."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.platform)) && var.platform != "operator"
    error_message = "platform must consist of 2 to 12 lowercase letters, digits and hyphens and start with a letter, because the name of a load balancer can have at most 32 characters. It cannot be operator, whose parameters are the operator's own."
  }
}

variable "platforms" {
  type        = map(object({ roles_below_path = optional(bool, false) }))
  default     = {}
  description = "All platforms, from the file that shared reads, too. Only roles_below_path is read here: without an entry, roles have the default path. (Validated in shared.)"
}

variable "domain" {
  type        = string
  default     = "scr-platform.com"
  description = "Domain of the host names. Production uses DOMAIN and api.DOMAIN; staging uses staging.DOMAIN and api.staging.DOMAIN."

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name without a scheme and a path, for example scr-platform.com."
  }
}

variable "hosted_zone_id" {
  type        = string
  default     = null
  description = "Route 53 zone of the domain, in which the two records are created. Without it, create them yourself and point both to the output load_balancer."
}

variable "vpc_cidr" {
  type        = string
  default     = null
  description = "Address range of the VPC, /16 to /22. By default 10.20.0.0/16 in staging and 10.30.0.0/16 in production. (Validated in modules/network.)"
}

variable "peer_cidrs" {
  type        = list(string)
  default     = []
  description = "Ranges of networks that this network may be connected to later; the VPC must not overlap with them. The default range of the other environment is always included."
}

variable "cpu_architecture" {
  type        = string
  default     = "X86_64" # what GitHub's runners build by default
  description = "CPU architecture of the images: X86_64 or ARM64."

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture must be X86_64 or ARM64."
  }
}

variable "clerk_publishable_key" {
  type        = string
  default     = ""
  description = "Clerk's publishable key, which the web app passes to the browser at run time. It is public and not a secret."
}

variable "health_commands" {
  type        = map(list(string))
  default     = {}
  description = "Component → health check command in its container. Needed only if an image has no python (api, ai-gateway) or no node (web)."

  validation {
    condition     = alltrue([for component in keys(var.health_commands) : contains(["api", "ai-gateway", "web"], component)])
    error_message = "health_commands can have only the keys api, ai-gateway and web."
  }
}

variable "web_acl_arn" {
  type        = string
  default     = null
  description = "ARN of a WAF web ACL for the load balancer."
}

variable "alarm_emails" {
  type        = list(string)
  default     = []
  description = "Mail addresses that receive alarms. Each recipient must confirm the subscription once."

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each item of alarm_emails must be a mail address, for example ops@scr-platform.com."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Additional tags for all resources."
}
