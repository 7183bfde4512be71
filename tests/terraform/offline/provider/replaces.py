"""What the real provider replaces, and what the id of an import tells it: of the types that this repository uses."""

import re
from typing import Any

# Attributes and blocks that cannot be changed in place ("Forces new resource" in the provider's documentation).
REPLACES = {
    "aws_cloudwatch_dashboard": ("dashboard_name",),
    "aws_cloudwatch_log_group": ("name", "name_prefix"),
    "aws_cloudwatch_metric_alarm": ("alarm_name",),
    "aws_db_instance": ("db_name", "engine", "kms_key_id", "storage_encrypted", "username"),
    "aws_db_parameter_group": ("description", "family", "name", "name_prefix"),
    "aws_db_subnet_group": ("name",),
    "aws_ecr_lifecycle_policy": ("repository",),
    "aws_ecr_repository": ("name",),
    "aws_ecs_cluster": ("name",),
    "aws_ecs_service": ("cluster", "launch_type", "name", "scheduling_strategy"),
    "aws_ecs_task_definition": (
        "container_definitions", "cpu", "execution_role_arn", "family", "memory", "network_mode",
        "requires_compatibilities", "runtime_platform", "task_role_arn", "volume",
    ),
    "aws_elasticache_replication_group": (
        "at_rest_encryption_enabled", "kms_key_id", "port", "replication_group_id", "subnet_group_name",
    ),
    "aws_elasticache_subnet_group": ("name",),
    "aws_iam_openid_connect_provider": ("url",),
    "aws_iam_role": ("name", "name_prefix", "path"),
    "aws_iam_role_policy": ("name", "role"),
    "aws_kms_alias": ("name",),
    "aws_kms_key": ("customer_master_key_spec", "key_usage", "multi_region"),
    "aws_lb": ("internal", "load_balancer_type", "name", "name_prefix"),
    "aws_lb_listener": ("load_balancer_arn",),
    "aws_lb_listener_rule": ("listener_arn",),
    "aws_lb_target_group": ("name", "name_prefix", "port", "protocol", "target_type", "vpc_id"),
    "aws_s3_bucket": ("bucket", "bucket_prefix"),
    "aws_secretsmanager_secret": ("name", "name_prefix"),
    "aws_secretsmanager_secret_version": ("secret_id",),
    "aws_security_group": ("description", "name", "name_prefix", "vpc_id"),
    "aws_service_discovery_http_namespace": ("description", "name"),
    "aws_sesv2_email_identity": ("email_identity",),
    "aws_sns_topic": ("fifo_topic", "name", "name_prefix"),
    "aws_sns_topic_subscription": ("endpoint", "protocol", "topic_arn"),
    "aws_ssm_parameter": ("name",),
    "aws_subnet": ("availability_zone", "cidr_block", "vpc_id"),
    "aws_vpc": ("cidr_block",),
}  # fmt: skip

# What an id tells, where it is not just the name (fakes.NAME_IDS).
IDS = {
    "aws_iam_role_policy": r"(?P<role>[^:]+):(?P<name>.+)",
    "aws_secretsmanager_secret": r".+:secret:(?P<name>.+)-.{6}",
    "aws_sesv2_email_identity": r"(?P<email_identity>.+)",
    "aws_sns_topic": r".+:(?P<name>[^:]+)",
}


def replaced(type_name: str, prior: dict[str, Any], planned: dict[str, Any]) -> list[str]:
    """Names of the attributes whose change replaces the resource."""
    return [name for name in REPLACES.get(type_name, ()) if prior.get(name) != planned.get(name)]


def from_id(type_name: str, resource_id: str) -> dict[str, str]:
    """The attributes that the id of an import tells."""
    found = re.fullmatch(IDS.get(type_name, ""), resource_id)
    return found.groupdict() if found else {}
