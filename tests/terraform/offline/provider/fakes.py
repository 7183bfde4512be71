"""Plausible, deterministic values for what only AWS would know (ids, ARNs, host names, ...)."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

Provider = Mapping[str, Any]  # region, account, partition, suffix, default_tags

EC2_IDS = {  # resource type (without aws_) or attribute base -> id prefix
    "ami": "ami",
    "image": "ami",
    "customer_gateway": "cgw",
    "default_security_group": "sg",
    "ebs_volume": "vol",
    "ec2_managed_prefix_list": "pl",
    "prefix_list": "pl",
    "ec2_transit_gateway": "tgw",
    "efs_access_point": "fsap",
    "efs_file_system": "fs",
    "egress_only_internet_gateway": "eigw",
    "eip": "eipalloc",
    "allocation": "eipalloc",
    "eip_association": "eipassoc",
    "association": "eipassoc",
    "flow_log": "fl",
    "instance": "i",
    "internet_gateway": "igw",
    "key_pair": "key",
    "launch_template": "lt",
    "nat_gateway": "nat",
    "network_acl": "acl",
    "network_interface": "eni",
    "route_table": "rtb",
    "default_route_table": "rtb",
    "main_route_table": "rtb",
    "route_table_association": "rtbassoc",
    "security_group": "sg",
    "security_group_rule": "sgr",
    "snapshot": "snap",
    "subnet": "subnet",
    "volume": "vol",
    "vpc": "vpc",
    "default_vpc": "vpc",
    "vpc_dhcp_options": "dopt",
    "dhcp_options": "dopt",
    "vpc_endpoint": "vpce",
    "vpc_peering_connection": "pcx",
    "vpc_security_group_egress_rule": "sgr",
    "vpc_security_group_ingress_rule": "sgr",
    "vpn_gateway": "vgw",
}
ARNS = {  # resource type -> service:resource; a leading ! leaves the region out, !! region and account
    "acm_certificate": "acm:certificate/{uuid}",
    "appautoscaling_policy": "autoscaling:scalingPolicy:{uuid}",
    "appautoscaling_target": "application-autoscaling:scalable-target/{hex}",
    "cloudfront_distribution": "!cloudfront:distribution/{id}",
    "cloudwatch_dashboard": "!cloudwatch:dashboard/{dashboard_name}",
    "cloudwatch_event_bus": "events:event-bus/{name}",
    "cloudwatch_event_rule": "events:rule/{name}",
    "cloudwatch_log_group": "logs:log-group:{name}",
    "cloudwatch_metric_alarm": "cloudwatch:alarm:{alarm_name}",
    "db_instance": "rds:db:{identifier}",
    "db_parameter_group": "rds:pg:{name}",
    "db_subnet_group": "rds:subgrp:{name}",
    "dynamodb_table": "dynamodb:table/{name}",
    "ecr_repository": "ecr:repository/{name}",
    "ecs_capacity_provider": "ecs:capacity-provider/{name}",
    "ecs_cluster": "ecs:cluster/{name}",
    "ecs_service": "ecs:service/{cluster}/{name}",
    "ecs_task_definition": "ecs:task-definition/{family}:{revision}",
    "eip": "ec2:elastic-ip/{id}",
    "elasticache_cluster": "elasticache:cluster:{cluster_id}",
    "elasticache_parameter_group": "elasticache:parametergroup:{name}",
    "elasticache_subnet_group": "elasticache:subnetgroup:{name}",
    "elasticache_replication_group": "elasticache:replicationgroup:{replication_group_id}",
    "elasticache_user": "elasticache:user:{user_id}",
    "flow_log": "ec2:vpc-flow-log/{id}",
    "iam_group": "!iam:group{path}{name}",
    "iam_instance_profile": "!iam:instance-profile{path}{name}",
    "iam_openid_connect_provider": "!iam:oidc-provider/{url}",
    "iam_policy": "!iam:policy{path}{name}",
    "iam_role": "!iam:role{path}{name}",
    "iam_user": "!iam:user{path}{name}",
    "kms_alias": "kms:{name}",
    "kms_key": "kms:key/{uuid}",
    "lambda_function": "lambda:function:{function_name}",
    "lb": "elasticloadbalancing:loadbalancer/app/{name}/{hex}",
    "lb_listener": "elasticloadbalancing:listener/app/{load_balancer_arn}/{hex}",
    "lb_listener_rule": "elasticloadbalancing:listener-rule/app/{listener_arn}/{hex}",
    "lb_target_group": "elasticloadbalancing:targetgroup/{name}/{hex}",
    "rds_cluster": "rds:cluster:{cluster_identifier}",
    "rds_cluster_instance": "rds:db:{identifier}",
    "route53_zone": "!!route53:hostedzone/{zone_id}",
    "s3_bucket": "!!s3:{bucket}",
    "secretsmanager_secret": "secretsmanager:secret:{name}-AbCdEf",
    "sfn_state_machine": "states:stateMachine:{name}",
    "sns_topic": "sns:{name}",
    "sqs_queue": "sqs:{name}",
    "ssm_parameter": "ssm:parameter/{name}",
    "vpc_security_group_egress_rule": "ec2:security-group-rule/{id}",
    "vpc_security_group_ingress_rule": "ec2:security-group-rule/{id}",
    "wafv2_web_acl": "wafv2:regional/webacl/{name}/{uuid}",
}
REFERENCES = {  # what an attribute X_arn or X_id refers to, where that is not the type X
    "certificate": "acm_certificate",
    "kms_key": "kms_key",
    "listener": "lb_listener",
    "load_balancer": "lb",
    "log_group": "cloudwatch_log_group",
    "queue": "sqs_queue",
    "role": "iam_role",
    "secret": "secretsmanager_secret",
    "target_group": "lb_target_group",
    "target_key": "kms_key",
    "topic": "sns_topic",
    "web_acl": "wafv2_web_acl",
}
ARN_IDS = frozenset(
    (
        "acm_certificate", "ecs_capacity_provider", "ecs_cluster", "ecs_service", "iam_openid_connect_provider",
        "iam_policy", "lb", "lb_listener", "lb_listener_rule", "lb_target_group", "secretsmanager_secret",
        "sfn_state_machine", "sns_topic",
    )
)  # fmt: skip
# Attributes that serve as the id, best first.
NAME_IDS = (
    "bucket", "replication_group_id", "cluster_id", "cluster_identifier", "function_name", "alarm_name",
    "dashboard_name", "family", "repository", "role", "user_id", "name",
)  # fmt: skip
TEXTS = {
    "availability_zone": "{region}a",
    "bucket_domain_name": "{bucket}.s3.{suffix}",
    "bucket_region": "{region}",
    "bucket_regional_domain_name": "{bucket}.s3.{region}.{suffix}",
    "canonical_hosted_zone_id": "Z{HEX}",
    "cidr_block": "10.0.0.0/16",
    "description": "",
    "dns_name": "{name}-{hex}.{region}.elb.{suffix}",
    "dns_suffix": "{suffix}",
    "engine_version_actual": "1.0",
    "hosted_zone_id": "Z{HEX}",
    "image_digest": "sha256:{sha256}",
    "json": "{{}}",
    "key_id": "{uuid}",
    "master_username": "admin",
    "partition": "{partition}",
    "path": "/",
    "policy": "{{}}",
    "private_ip": "10.0.0.10",
    "public_ip": "203.0.113.10",
    "region": "{region}",
    "repository_url": "{account}.dkr.ecr.{region}.{suffix}/{name}",
    "secret_string": '{{"username":"user","password":"dummy"}}',
    "service_name": "com.amazonaws.{region}.{hex}",
    "state": "available",
    "status": "ACTIVE",
    "unique_id": "AROA{HEX}",
    "username": "admin",
    "version_id": "{uuid}",
    "zone_id": "Z{HEX}",
    "configuration_endpoint_address": "clustercfg.{replication_group_id}.abc123.use1.cache.{suffix}",
    "primary_endpoint_address": "master.{replication_group_id}.abc123.use1.cache.{suffix}",
    "reader_endpoint_address": "replica.{replication_group_id}.abc123.use1.cache.{suffix}",
}
SAME_AS_ID = {
    "kms_key": "key_id",
    "route53_zone": "zone_id",
    "s3_bucket": "bucket",
    "sqs_queue": "url",
    "wafv2_web_acl": "uuid",
}
PORTS = {
    "postgres": 5432,
    "aurora-postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "aurora-mysql": 3306,
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
}


# What an attribute's name tells of its value, where nothing above does; the first that fits.
PATTERNS = (
    (re.compile(r"(_date|_time|_at|timestamp|^not_before|^not_after)$"), "2025-01-01T00:00:00Z"),
    (re.compile(r"url$"), "https://{hex}.example.com"),
    (re.compile(r"(domain|endpoint|host|fqdn|address)(_name)?$"), "{hex}.example.com"),
    (re.compile(r"_enabled$"), "false"),
)


class Faker(dict[str, Any]):
    """Format mapping: the known attributes of one resource, and made-up ones. Same input, same values."""

    def __init__(self, type_name: str, known: Mapping[str, Any], provider: Provider, serial: int = 0) -> None:
        super().__init__({k: v for k, v in known.items() if isinstance(v, (str, int)) and v != ""})
        self.type = re.sub(r"^alb", "lb", type_name.removeprefix("aws_"))
        self.provider, self.given = provider, set(self)
        seed = json.dumps([type_name, known, serial], sort_keys=True, default=str)
        self.sha256 = hashlib.sha256(seed.encode()).hexdigest()
        self.label = f"{self.type.replace('_', '-')}-{self.sha256[:8]}"
        for key, start in (
            ("cluster", "/"),
            ("load_balancer_arn", "/app/"),
            ("listener_arn", "/app/"),
            ("url", "https://"),
        ):
            is_whole = str(self.get(key)).startswith("arn:") or self.type == "iam_openid_connect_provider"
            if is_whole and start in str(self.get(key)):
                self[key] = self[key].split(start, 1)[1]  # the part that goes into this resource's own ARN

    def __missing__(self, key: str) -> Any:
        h = self.sha256
        facts = {
            "hex": h[:16],
            "HEX": h[:14].upper(),
            "sha256": h,
            "uuid": f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}",
            "path": "/",
            "cluster": "default",
            "revision": 1,
            **self.provider,
        }
        return facts[key] if key in facts else self.text(key)

    def arn(self, type_name: str) -> str:
        """The ARN of this resource, or of one of another type that it refers to."""
        spec = ARNS.get(type_name)
        if spec is None and type_name in EC2_IDS:
            id = "{id}" if type_name == self.type else f"{EC2_IDS[type_name]}-0{{hex}}"
            spec = f"ec2:{type_name.replace('_', '-')}/{id}"
        if spec is None:  # unlisted: this resource's own service, and the name
            service = ARNS.get(self.type, self.type.partition("_")[0]).strip("!").partition(":")[0]
            spec = f"{service}:{type_name.removeprefix(service + '_').replace('_', '-')}/{{name}}"
        bare = spec.lstrip("!")
        service, _, resource = bare.format_map(self).partition(":")
        region = self.provider["region"] if bare == spec else ""
        account = "" if spec.startswith("!!") else self.provider["account"]
        arn = f"arn:{self.provider['partition']}:{service}:{region}:{account}:{resource}"
        return arn.replace("parameter//", "parameter/")

    def id(self) -> str:
        """What `id` is for this type: an EC2 id, the ARN, a name, or made up."""
        if self.type in EC2_IDS:
            return f"{EC2_IDS[self.type]}-0{self['hex']}"
        if self.type in ARN_IDS:
            return self.arn(self.type)
        if self.type == "db_instance":
            return "db-" + self.sha256[:26].upper()
        if self.type in SAME_AS_ID:
            return str(self[SAME_AS_ID[self.type]])
        return next((str(self[name]) for name in NAME_IDS if name in self.given), self.label)

    def name(self, attribute: str) -> str:
        """The resource's own name: from a prefix, or from something like cluster_name, or made up."""
        if prefix := self.get(f"{attribute}_prefix"):
            return f"{prefix}{self.sha256[:8]}"
        own = (self[k] for k in self.given if k.endswith("_name") and self.type.endswith(k.removesuffix("_name")))
        return next(own, self.label)

    def text(self, name: str, flags: str = "c") -> str:
        """A string for the attribute `name` of this resource."""
        if name == "id":
            return self.id()
        if name == "arn":
            return self.arn(self.type)
        if name == "arn_suffix":
            return self.arn(self.type).split(":", 5)[5].removeprefix("loadbalancer/")
        if "o" in flags and re.search(r"(_prefix|_?policy)$", name):  # left out, so AWS has none either
            return ""
        if address := self.address(name):
            return address
        if name in TEXTS:
            return TEXTS[name].format_map(self)
        if re.search(r"(^|_)(owner|account|registry)(_id)?$", name):
            return str(self.provider["account"])
        if reference := self.reference(name):
            return reference
        for pattern, text in PATTERNS:
            if pattern.search(name):
                return text.format_map(self)
        if name in ("name", "bucket", "identifier", "cluster_identifier") or name.endswith("_name"):
            return self.name(name)
        return f"{name.replace('_', '-')}-{self.sha256[:8]}"

    def address(self, name: str) -> str | None:
        """A database's or a queue's address, when the attribute `name` is one."""
        p = self.provider
        host = self.get("identifier") or self.get("cluster_identifier")
        if host and name in ("address", "endpoint", "reader_endpoint"):
            port = f":{self.number('port')}" if (self.type, name) == ("db_instance", "endpoint") else ""
            return f"{host}.{self.sha256[:12]}.{p['region']}.rds.{p['suffix']}{port}"
        if name == "url" and self.type == "sqs_queue":
            return f"https://sqs.{p['region']}.{p['suffix']}/{p['account']}/{self['name']}"
        return None

    def reference(self, name: str) -> str | None:
        """The ARN or the id of another resource, when the attribute `name` is one."""
        if name == "secret_arn" and str(self.get("secret_id")).startswith("arn:"):
            return str(self["secret_id"])
        if found := re.fullmatch(r"(.+)_arn|(kms_key)_id", name):
            return self.arn(REFERENCES.get(found[1] or found[2], found[1]))
        if found := re.fullmatch(r"(?:default_|main_|source_|primary_)?(.+)_id", name):
            prefix = EC2_IDS.get(found[1])
            return f"{prefix}-0{self['hex']}" if prefix else f"{found[1].replace('_', '-')}-{self.sha256[:8]}"
        return None

    def number(self, name: str) -> int:
        """A number for the attribute `name` of this resource."""
        if isinstance(given := self.get(name), int):
            return given
        if name == "port":
            return PORTS.get(self.get("engine", ""), 6379 if self.type.startswith("elasticache") else 443)
        return 1

    def value(self, name: str, typ: Any, flags: str = "c") -> Any:
        """A value of Terraform type `typ`. A collection that could have been set but was not stays empty."""
        if typ == "string":
            return self.text(name, flags)
        if typ == "number":
            return self.number(name)
        if typ in ("bool", "dynamic"):
            return False if typ == "bool" else None
        kind, inner = typ
        if kind == "object":
            return {k: self.value(k, t) for k, t in inner.items()}
        if kind == "map":
            return {}
        if "o" in flags:
            return []
        # e.g. ids of aws_subnets: three of subnet_id
        element = self.type.removesuffix("s") + "_id" if name == "ids" else name.removesuffix("s")
        if element in EC2_IDS:
            element += "_id"
        fakers = [Faker(self.type, self, self.provider, serial) for serial in range(3 if name.endswith("ids") else 1)]
        return [faker.value(element, inner) for faker in fakers]
