"""Creates missing resources on the local AWS. Each function reads first, so that running it twice changes nothing.

Used by infrastructure.py, which replaces Terraform on the local AWS.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

Session = Any
"""A boto3 session; its clients are not typed."""


def repository(session: Session, name: str) -> str:
    """An ECR repository; its URI."""
    ecr = session.client("ecr")
    try:
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ecr.exceptions.RepositoryNotFoundException:
        found = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})[
            "repository"
        ]
    return str(found["repositoryUri"])


def role(
    session: Session, name: str, policies: Mapping[str, str], services: Sequence[str] = ("ecs-tasks.amazonaws.com",)
) -> str:
    """A role for ECS tasks, or for other services, with inline policies (name → JSON); its ARN."""
    iam = session.client("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for policy, document in policies.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    return str(arn)


def cluster(session: Session, name: str) -> str:
    """An ECS cluster; its ARN."""
    ecs = session.client("ecs")
    for found in ecs.describe_clusters(clusters=[name])["clusters"]:
        if found["status"] == "ACTIVE":
            return str(found["clusterArn"])
    return str(ecs.create_cluster(clusterName=name)["cluster"]["clusterArn"])


def log_group(session: Session, name: str, days: int = 14) -> None:
    """A log group with a retention."""
    logs = session.client("logs")
    try:
        logs.create_log_group(logGroupName=name)
    except logs.exceptions.ResourceAlreadyExistsException:
        return
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def parameter(session: Session, name: str, value: str, kind: str = "String") -> None:
    """An SSM parameter with this value."""
    ssm = session.client("ssm")
    if read_parameter(session, name) != value:
        ssm.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


def read_parameter(session: Session, name: str) -> str | None:
    """A parameter's value, or None."""
    ssm = session.client("ssm")
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None


def secret(session: Session, name: str, value: str) -> str:
    """A secret with this value; its ARN."""
    manager = session.client("secretsmanager")
    try:
        found = manager.get_secret_value(SecretId=name)
    except manager.exceptions.ResourceNotFoundException:
        return str(manager.create_secret(Name=name, SecretString=value)["ARN"])
    if found["SecretString"] != value:
        manager.put_secret_value(SecretId=name, SecretString=value)
    return str(found["ARN"])


def topic(session: Session, name: str) -> str:
    """An SNS topic; its ARN."""
    return str(session.client("sns").create_topic(Name=name)["TopicArn"])


def mail_sender(session: Session, address: str) -> None:
    """A verified SES identity."""
    ses = session.client("sesv2")
    with contextlib.suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=address)


def network(session: Session, name: str) -> tuple[str, list[str], str]:
    """A VPC with two private subnets and a security group for tasks; their ids."""
    ec2 = session.client("ec2")
    named = [{"Name": "tag:Name", "Values": [name]}]

    def tags(kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]

    vpcs = ec2.describe_vpcs(Filters=named)["Vpcs"]
    vpc = (vpcs[0] if vpcs else ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags("vpc"))["Vpc"])["VpcId"]
    inside = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets(Filters=[*inside, *named])["Subnets"]]
    for number in range(len(subnets), 2):
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.20.{number}.0/24",
            AvailabilityZone=f"{session.region_name}{'ab'[number]}",
            TagSpecifications=tags("subnet"),
        )
        subnets.append(made["Subnet"]["SubnetId"])
    groups = ec2.describe_security_groups(Filters=[*inside, {"Name": "group-name", "Values": [f"{name}-tasks"]}])
    if groups["SecurityGroups"]:
        group = groups["SecurityGroups"][0]["GroupId"]
    else:
        group = ec2.create_security_group(GroupName=f"{name}-tasks", Description="ECS tasks", VpcId=vpc)["GroupId"]
    return vpc, sorted(subnets), group


def load_balancer(session: Session, name: str, subnets: Sequence[str], group: str) -> str:
    """An application load balancer; its ARN."""
    elb = session.client("elbv2")
    try:
        return str(elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"])
    except (ClientError, IndexError):
        made = elb.create_load_balancer(Name=name, Subnets=list(subnets), SecurityGroups=[group], Type="application")
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def target_group(
    session: Session, name: str, vpc: str, port: int, health_path: str, statuses: str, unhealthy_after: int = 4
) -> str:
    """A target group for the tasks of one service; its ARN."""
    elb = session.client("elbv2")
    try:
        return str(elb.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])
    except (ClientError, IndexError):
        made = elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=port,
            VpcId=vpc,
            TargetType="ip",
            HealthCheckPath=health_path,
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=unhealthy_after,
            Matcher={"HttpCode": statuses},
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])


def listener(session: Session, balancer: str, default_group: str) -> str:
    """The HTTP listener of a load balancer; its ARN."""
    elb = session.client("elbv2")
    found = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    if found:
        return str(found[0]["ListenerArn"])
    made = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": default_group}],
    )
    return str(made["Listeners"][0]["ListenerArn"])


def rule(session: Session, listener_arn: str, priority: int, field: str, value: str, group: str) -> None:
    """A listener rule: `host-header` or `path-pattern` equal to the value forwards to the group."""
    elb = session.client("elbv2")
    if any(r["Priority"] == str(priority) for r in elb.describe_rules(ListenerArn=listener_arn)["Rules"]):
        return
    elb.create_rule(
        ListenerArn=listener_arn,
        Priority=priority,
        Conditions=[{"Field": field, "Values": [value]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )


def service(session: Session, cluster_name: str, name: str, **settings: Any) -> None:
    """An ECS service. An existing one stays as it is, because the operator owns its revision."""
    ecs = session.client("ecs")
    found = ecs.describe_services(cluster=cluster_name, services=[name])["services"]
    if not any(s["status"] == "ACTIVE" for s in found):
        ecs.create_service(cluster=cluster_name, serviceName=name, **settings)


def schedule(session: Session, name: str, group: str, **settings: Any) -> None:
    """A schedule of EventBridge Scheduler. An existing one stays as it is, because the operator owns its revision."""
    scheduler = session.client("scheduler")
    try:
        scheduler.get_schedule(Name=name, GroupName=group)
    except scheduler.exceptions.ResourceNotFoundException:
        if group != "default":
            scheduler.create_schedule_group(Name=group)
        scheduler.create_schedule(Name=name, GroupName=group, **settings)


def event_rule(session: Session, name: str, pattern: str, target: Mapping[str, Any]) -> None:
    """A rule of EventBridge with one target, which stays as it is once it is there."""
    events = session.client("events")
    events.put_rule(Name=name, EventPattern=pattern)
    if not events.list_targets_by_rule(Rule=name)["Targets"]:
        events.put_targets(Rule=name, Targets=[target])
