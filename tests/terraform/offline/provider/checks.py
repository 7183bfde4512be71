"""Checks that the real provider also makes without AWS: read-only attributes, some JSON texts and CIDR blocks."""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Resource types and their attributes that hold a JSON text, or CIDR blocks.
JSON = {
    "aws_iam_role": ("assume_role_policy",),
    "aws_iam_policy": ("policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_user_policy": ("policy",),
    "aws_iam_group_policy": ("policy",),
    "aws_ecs_task_definition": ("container_definitions",),
    "aws_ecr_lifecycle_policy": ("policy",),
    "aws_ecr_repository_policy": ("policy",),
    "aws_ecr_registry_policy": ("policy",),
    "aws_s3_bucket_policy": ("policy",),
    "aws_sqs_queue": ("policy", "redrive_policy", "redrive_allow_policy"),
    "aws_sqs_queue_policy": ("policy",),
    "aws_sns_topic": ("policy", "delivery_policy"),
    "aws_sns_topic_policy": ("policy",),
    "aws_kms_key": ("policy",),
    "aws_secretsmanager_secret": ("policy",),
    "aws_secretsmanager_secret_policy": ("policy",),
    "aws_cloudwatch_event_rule": ("event_pattern",),
    "aws_cloudwatch_dashboard": ("dashboard_body",),
    "aws_sfn_state_machine": ("definition",),
    "aws_vpc_endpoint": ("policy",),
}
CIDR = {
    "aws_vpc": ("cidr_block",),
    "aws_subnet": ("cidr_block",),
    "aws_route": ("destination_cidr_block",),
    "aws_vpc_security_group_ingress_rule": ("cidr_ipv4",),
    "aws_vpc_security_group_egress_rule": ("cidr_ipv4",),
    "aws_security_group_rule": ("cidr_blocks",),
}


def read_only(block: Any, value: Mapping[str, Any]) -> Iterator[str]:
    """Names of attributes that only the provider may set, but that have a value in the configuration."""
    for name, (flags, _) in block.get("a", {}).items():
        if flags.strip("s") == "c" and value.get(name) is not None:
            yield name
    for name, (nesting, _, _, inner) in block.get("b", {}).items():
        nested = [value.get(name)] if nesting == "single" else value.get(name)
        for v in nested if isinstance(nested, list) else ():
            if isinstance(v, dict):
                yield from read_only(inner, v)


def reason(parse: Callable[[str], object], text: object) -> str | None:
    """Why a text can't be parsed; None for what can, and for what is unknown or left out."""
    if isinstance(text, str):
        try:
            parse(text)
        except ValueError as error:
            return str(error)
    return None


def problems(type_name: str, block: Any, config: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """(summary, detail, attribute) for every bad value."""
    for name in read_only(block, config):
        detail = f'Can\'t configure a value for "{name}": only the provider sets it.'
        yield "Value for unconfigurable attribute", detail, name if name in block.get("a", {}) else None
    for name in JSON.get(type_name, ()):
        if found := reason(json.loads, config.get(name) or None):
            yield f'"{name}" contains an invalid JSON', found, name
    for name in CIDR.get(type_name, ()):
        given = config.get(name)
        for cidr in given if isinstance(given, list) else [given]:
            if found := reason(ipaddress.ip_network, cidr):
                yield f'"{name}" is not a valid CIDR block', found, name
