variable "name" {
  type        = string
  description = "Prefix of all names: PLATFORM-ENVIRONMENT."
}

variable "cidr" {
  type        = string
  description = "Address range of the VPC: a private IPv4 block from /16 to /22, for example 10.20.0.0/16."

  # A condition that raises an error explains nothing, so cidrhost() is called only where it cannot fail.
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("^[0-9.]+/[0-9]+$", var.cidr))
    error_message = "The VPC's range must be an IPv4 block in CIDR notation, for example 10.20.0.0/16."
  }
  validation {
    condition     = !can(cidrhost(var.cidr, 0)) || try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The VPC's range must be from /16 (65,536 addresses) to /22 (1,024). AWS allows nothing larger. In a smaller range, a subnet would have fewer than the 64 addresses that a load balancer and rolling deployments need."
  }
  validation {
    condition     = !can(cidrhost(var.cidr, 0)) || try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "The VPC's range must be written with its first address: 10.20.0.0/16, not 10.20.1.0/16."
  }
  validation {
    condition     = !can(cidrhost(var.cidr, 0)) || can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", var.cidr))
    error_message = "The VPC's range must be private (RFC 1918), that is, within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "peer_cidrs" {
  type        = list(string)
  default     = []
  description = "Ranges of networks that this VPC may be connected to later, such as other environments or offices. The VPC must not overlap with any of them."

  validation {
    condition     = alltrue([for peer in var.peer_cidrs : can(cidrhost(peer, 0)) && can(regex("^[0-9.]+/[0-9]+$", peer))])
    error_message = "Each item of peer_cidrs must be an IPv4 block in CIDR notation, for example 10.30.0.0/16."
  }
  # Two blocks overlap if they are equal when cut to the shorter of their two prefixes.
  validation {
    condition = alltrue([
      for peer in var.peer_cidrs : !try(
        cidrhost("${split("/", peer)[0]}/${min(split("/", peer)[1], split("/", var.cidr)[1])}", 0) ==
        cidrhost("${split("/", var.cidr)[0]}/${min(split("/", peer)[1], split("/", var.cidr)[1])}", 0),
      false)
    ])
    error_message = "The VPC's range ${var.cidr} must not overlap with any of peer_cidrs (${join(", ", var.peer_cidrs)}), because overlapping networks can never be connected. Choose another block for one of them."
  }
}

variable "zones" {
  type        = number
  description = "Number of availability zones, 2 or 3."

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones must be 2 or 3. A load balancer needs two, and a fourth would not add anything."
  }
}

variable "nat_per_zone" {
  type        = bool
  description = "true: a NAT gateway in each zone, so that the failure of a zone affects only that zone. false: one for all zones, at a third of the price."
}

variable "ports" {
  type = object({
    balanced = list(number)
    internal = list(number)
  })
  description = "Container ports. balanced: reachable by the load balancer. internal: reachable by other tasks."
}

variable "retention_days" {
  type        = number
  description = "How long flow logs are kept, in days."
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts the flow logs."
}

variable "protected" {
  type        = bool
  description = "Set to true in production: the log groups are protected from deletion."
}
