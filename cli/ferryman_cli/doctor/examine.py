"""Look at everything and judge it: the order of the lines, and which answers each check needs."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from ferryman import __version__
from ferryman.suggestions import suggest
from ferryman_cli.connection import connect
from ferryman_cli.doctor import (
    alarms,
    channels,
    concurrency,
    installation,
    lists,
    machine,
    mail,
    platforms,
    pushes,
    roles,
)
from ferryman_cli.doctor.checks import Answer, Blind, Check, Seen, problem
from ferryman_cli.doctor.eyes import Eyes, NoCredentials, session_and_region
from ferryman_cli.exits import Stop
from ferryman_cli.transport import Api, ApiError

_MOST_ROLES = 50
"""Roles that are asked for, one by one."""
_NO_STACK = "ValidationError"


def examine(
    *, platform: str | None = None, api_url: str | None = None, preflight: bool = False, send: bool = False
) -> Iterator[Check]:
    """Yield the checks, each as soon as it is made.

    `preflight`: before the operator is installed. `send`: with a test message to each channel.
    """
    try:
        session, region = session_and_region()
    except NoCredentials as error:
        yield machine.no_credentials(
            f"cannot load AWS credentials: {error}" if str(error) else "no AWS credentials found"
        )
        return
    if not region:
        yield machine.region(None, has_stack=False)
        return
    eyes = Eyes(session, region)
    identity = eyes.look("sts", "get_caller_identity")
    yield machine.credentials(identity)
    yield machine.clock(eyes.ahead)
    if not isinstance(identity, dict):
        return
    yield from _Examination(eyes, str(identity["Account"]), preflight, send).run(platform, api_url)


class _Examination:
    """What is looked with, and what was found so far."""

    def __init__(self, eyes: Eyes, account: str, preflight: bool, send: bool) -> None:
        self.eyes, self.account, self.preflight, self.send = eyes, account, preflight, send
        self.name = os.environ.get("FERRYMAN_STACK") or "ferryman"

    def run(self, platform: str | None, api_url: str | None) -> Iterator[Check]:
        seen = self.eyes.look("cloudformation", "describe_stacks", missing=[_NO_STACK], StackName=self.name)
        stack = installation.stack_of(seen)
        parameters, outputs = installation.parameters_of(stack), installation.outputs_of(stack)
        known = parameters if stack is not None else None
        yield machine.region(self.eyes.region, has_stack=stack is not None)
        yield installation.stack(self.name, self.eyes.region, seen, preflight=self.preflight)
        yield concurrency.concurrency(self.eyes.look("lambda", "get_account_settings"), known)
        yield from self._lists(stack, known)
        if self.preflight:
            return
        yield from self._operator(platform, api_url)
        if stack is not None:
            yield from self._alarms()
            yield installation.dead_letters(self._dead_letters(outputs))

    def _lists(self, stack: Answer | None, known: dict[str, str] | None) -> Iterator[Check]:
        wanted = lists.names(known)
        seen = [
            self.eyes.look("ssm", "get_parameters", Names=list(names))
            for names in batched(sorted(set(wanted.values())), 10, strict=False)
        ]
        deployed = {
            item["ParameterKey"]: str(item["ResolvedValue"])
            for item in (stack or {}).get("Parameters", [])
            if "ResolvedValue" in item
        }
        yield from lists.lists(seen, wanted, region=self.eyes.region, account=self.account, deployed=deployed)
        values = {
            item["Name"]: str(item["Value"]) for one in seen if isinstance(one, dict) for item in one["Parameters"]
        }
        if (passed := values.get(wanted.get("PassRoleArns", ""))) is not None:
            arns = passed.split(",")
            named = {arn: name for arn in arns if (name := roles.name_of(arn)) is not None}
            asked = {
                arn: self.eyes.look("iam", "get_role", missing=["NoSuchEntity"], RoleName=name)
                for arn, name in list(named.items())[:_MOST_ROLES]
            }
            yield from roles.roles(asked, named=len(named))

    def _operator(self, platform: str | None, api_url: str | None) -> Iterator[Check]:
        try:
            api = connect(api_url)
            about = _asked(api, "/v1/doctor")
            yield installation.version(__version__, about["version"] if about else None)
            if about is None:
                return
            here = datetime.now(UTC)
            if (check := platforms.operators_clock(about["now"], here, self.eyes.ahead)) is not None:
                yield check
            named = [platform] if platform else [item["name"] for item in api.get("/v1/platforms")["platforms"]]
            found = [api.get(Api.path("v1", "platforms", name, "doctor")) for name in named]
        except Stop as stop:
            step = "See what the message says; `aws sts get-caller-identity` tells who you are for AWS"
            yield problem(installation.OPERATOR, str(stop), step)
            return
        for one in found:
            yield from self._platform(api, one)
        yield pushes.pushes(self._rule(), [name for one in found for name in one["repositories"]])
        yield from self._mail(found)
        yield platforms.unreconciled(found, about["now"])
        yield platforms.records(found)

    def _platform(self, api: Api, found: Answer) -> Iterator[Check]:
        groups: dict[str, Seen] = {}
        for env in found["environments"]:
            path = Api.path("v1", "platforms", found["name"], "environments", env["name"], "verify")
            try:
                yield from platforms.environment(found["name"], env["name"], api.post(path, repeatable=True))
            except Stop as stop:
                where = f"{found['name']}/{env['name']}"
                yield problem(where, str(stop), f"{suggest('verify', env['name'], p=found['name'])}")
            groups |= self._targets(env)
        if (check := platforms.targets(groups)) is not None:
            yield check
        path = Api.path("v1", "platforms", found["name"], "channels")
        try:
            probed = api.post(f"{path}/test", repeatable=False) if self.send else api.get(path)
        except Stop as stop:
            yield problem(f"channels of {found['name']}", str(stop), "See the log of notify, then try again")
            return
        yield from channels.channels(found["name"], probed["channels"], sent=self.send)

    def _targets(self, env: Answer) -> dict[str, Seen]:
        groups: dict[str, Seen] = {}
        for names in batched(env["services"], 10, strict=False):
            missing = ["ClusterNotFoundException"]
            seen = self.eyes.look(
                "ecs", "describe_services", missing=missing, cluster=env["cluster"], services=list(names)
            )
            if isinstance(seen, Blind):
                return {env["name"]: seen}
            for service in (seen or {}).get("services", []):
                for balancer in service.get("loadBalancers", []):
                    if arn := balancer.get("targetGroupArn"):
                        groups[f"{service['serviceName']} ({arn.split('/')[1]})"] = self.eyes.look(
                            "elbv2", "describe_target_health", missing=["TargetGroupNotFound"], TargetGroupArn=arn
                        )
        return groups

    def _rule(self) -> Seen:
        seen = self.eyes.look(
            "cloudformation", "describe_stack_resource", missing=[_NO_STACK], StackName=self.name,
            LogicalResourceId=pushes.RULE,
        )  # fmt: skip
        if not isinstance(seen, dict):
            return seen
        name = str(seen["StackResourceDetail"]["PhysicalResourceId"]).rpartition("/")[2]
        return self.eyes.look("events", "describe_rule", missing=["ResourceNotFoundException"], Name=name)

    def _mail(self, found: list[Answer]) -> Iterator[Check]:
        senders = sorted({one for it in found for one in it["mail"]["from"]})
        to = sorted({one for it in found for one in it["mail"]["to"]})
        account = self.eyes.look("sesv2", "get_account") if senders else None
        asked = senders if not isinstance(account, dict) or account.get("ProductionAccessEnabled") else senders + to
        names = dict.fromkeys(name for one in asked for name in mail.identities_of(one))
        identities = {
            name: self.eyes.look("sesv2", "get_email_identity", missing=["NotFoundException"], EmailIdentity=name)
            for name in names
        }
        yield from mail.mail(account, senders, to, identities)

    def _alarms(self) -> Iterator[Check]:
        seen = self.eyes.look("cloudwatch", "describe_alarms", AlarmNamePrefix=f"{self.name}-", MaxRecords=100)
        topics = {
            arn: self.eyes.look("sns", "get_topic_attributes", missing=["NotFound", "NotFoundException"], TopicArn=arn)
            for arn in alarms.topics_of(alarms.of_stack(self.name, seen))
        }
        yield from alarms.alarms(self.name, seen, topics)

    def _dead_letters(self, outputs: dict[str, str]) -> Seen:
        missing = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"]
        return self.eyes.look(
            "sqs", "get_queue_attributes", missing=missing, QueueUrl=outputs.get("DeadLettersUrl", ""),
            AttributeNames=["ApproximateNumberOfMessages"],
        )  # fmt: skip


def _asked(api: Api, path: str) -> dict[str, Any] | None:
    """Ask the operator; None: it is older than this question."""
    try:
        return api.get(path)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
