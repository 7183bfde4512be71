# Existing sizes, so that a size that does not exist is rejected by the plan and not after ten minutes of apply.
locals {
  burstable = ["micro", "small", "medium", "large", "xlarge", "2xlarge"]
  steady    = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]

  # Families that support PostgreSQL 16. t4g and other families with a g are Graviton: the same work at a lower price.
  db_families = {
    t3  = local.burstable
    t4g = local.burstable
    m6g = local.steady
    m6i = concat(local.steady, ["24xlarge", "32xlarge"])
    m7g = local.steady
    r6g = local.steady
    r6i = concat(local.steady, ["24xlarge", "32xlarge"])
    r7g = local.steady
  }

  redis_families = {
    t3  = ["micro", "small", "medium"]
    t4g = ["micro", "small", "medium"]
    m6g = local.steady
    m7g = local.steady
    r6g = local.steady
    r7g = local.steady
  }

  # Fargate: CPU units → MiB.
  fargate = {
    "256"   = [512, 1024, 2048]
    "512"   = range(1024, 4097, 1024)
    "1024"  = range(2048, 8193, 1024)
    "2048"  = range(4096, 16385, 1024)
    "4096"  = range(8192, 30721, 1024)
    "8192"  = range(16384, 61441, 4096)
    "16384" = range(32768, 122881, 8192)
  }
}
