"""The SSM parameters that limit what the operator may touch: whether they are there, and make sense. Pure.

Their names and types are those of template.yaml; a contract test compares the two.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ferryman_cli.doctor.checks import Answer, Blind, Check, Seen, blind, ok, problem, warning

LISTS = "lists"
_NAMED = 3
"""Entries that a line names; the rest are counted."""


@dataclass(frozen=True)
class Wanted:
    """What a parameter has to hold."""

    name: str
    """Name of the SSM parameter, unless the stack was deployed with another one."""
    pattern: str
    """A regular expression for each entry; {region} and {account} are the operator's own."""
    single: bool = False
    """One value of type String, not a list."""


def _arn(service: str, resource: str, *, region: str = "{region}") -> str:
    return rf"arn:[a-z-]+:{service}:{region}:{{account}}:{resource}"


_ROLE = _arn("iam", r"role/.+", region="")
_SECRET = _arn("secretsmanager", r"secret:.+")
PARAMETERS: Mapping[str, Wanted] = {
    name: Wanted(f"/ferryman/operator/{last}", pattern, single)
    for name, last, pattern, single in (
        ("ClusterArns", "cluster-arns", _arn("ecs", "cluster/.+"), False),
        ("PassRoleArns", "pass-role-arns", _ROLE, False),
        ("RepositoryArns", "repository-arns", _arn("ecr", "repository/.+"), False),
        ("MigrationTaskDefinitionArns", "migration-task-definition-arns", _arn("ecs", "task-definition/.+"), False),
        ("JobArns", "job-arns", _arn("(scheduler|events)", "(schedule|rule)/.+"), False),
        ("JobRoleArns", "job-role-arns", _ROLE, False),
        ("LogGroupArns", "log-group-arns", _arn("logs", "log-group:.+"), False),
        ("TopicArns", "topic-arns", _arn("sns", ".+"), False),
        ("MailIdentityArns", "mail-identity-arns", _arn("ses", "identity/.+"), False),
        ("WebhookSecretArns", "webhook-secret-arns", _SECRET, False),
        ("BotTokenSecretArns", "bot-token-secret-arns", _SECRET, False),
        ("SigningSecretArns", "signing-secret-arns", _SECRET, False),
        ("GitHubSecretArns", "github-secret-arns", _SECRET, False),
        ("AlarmTopicParameter", "alarm-topic-arn", _arn("sns", ".+"), True),
    )
}
"""Parameter of the template → what the SSM parameter behind it has to hold."""

_TOO_WIDE = re.compile(r"[*]|arn:[^:]+:iam::[0-9]*:role/[*]")
"""An entry that lets the operator pass or use everything."""


def names(parameters: Mapping[str, str] | None) -> dict[str, str]:
    """Return parameter of the template → SSM parameter; `parameters` are the stack's, None: there is no stack yet."""
    if parameters is None:
        return {name: wanted.name for name, wanted in PARAMETERS.items()}
    return {name: parameters[name] for name in PARAMETERS if name in parameters}


def lists(
    seen: Sequence[Seen], wanted: Mapping[str, str], *, region: str, account: str, deployed: Mapping[str, str]
) -> list[Check]:
    """Judge the answers of GetParameters. `deployed`: the values with which the stack was deployed, where known."""
    if refused := next((one for one in seen if isinstance(one, Blind)), None):
        return [blind(LISTS, refused)]
    found = {item["Name"]: item for one in seen if isinstance(one, dict) for item in one["Parameters"]}
    checks: list[Check] = []
    if missing := [parameter for parameter in wanted.values() if parameter not in found]:
        checks.append(_missing(missing, region))
    for name, parameter in wanted.items():
        if (item := found.get(parameter)) is None:
            continue
        checks += _one(name, parameter, item, region=region, account=account)
        if deployed.get(name, item["Value"]) != item["Value"]:
            told = f"{parameter} has changed since the stack was deployed, and the stack still uses the old value"
            checks.append(warning(LISTS, told, "Deploy the stack again: CloudFormation reads parameters only then"))
    return checks or [ok(LISTS, f"all {len(wanted)} SSM parameters exist and are of account {account} in {region}")]


def _missing(parameters: Sequence[str], region: str) -> Check:
    """All of them in one line: before the first `terraform apply`, none is there."""
    if len(parameters) == 1:
        step = "`terraform apply` in terraform/shared writes it; with a Terraform of your own, write it yourself"
        return problem(LISTS, f"the SSM parameter {parameters[0]} does not exist in {region}", step)
    step = "`terraform apply` in terraform/shared writes them; with a Terraform of your own, write them yourself"
    told = f"{len(parameters)} SSM parameters do not exist in {region}: {', '.join(parameters)}"
    return problem(LISTS, told, step)


def _one(name: str, parameter: str, item: Answer, *, region: str, account: str) -> list[Check]:
    wanted = PARAMETERS[name]
    kind = "String" if wanted.single else "StringList"
    if item["Type"] != kind:
        step = f"Write it as {kind}; to change the type, delete the parameter first"
        return [problem(LISTS, f"{parameter} is a {item['Type']}", step)]
    entries = [str(item["Value"])] if wanted.single else str(item["Value"]).split(",")
    if wanted.single and entries == ["none"]:
        return []
    if any(entry != entry.strip() or not entry for entry in entries):
        step = "Write entries separated by commas, without spaces; for none, one that does not exist (…-none)"
        return [problem(LISTS, f"{parameter} has an empty entry or spaces", step)]
    if wide := [entry for entry in entries if _TOO_WIDE.fullmatch(entry)]:
        return [problem(LISTS, f"{parameter} has {wide[0]}, which is everything", "List what the operator may touch")]
    pattern = re.compile(wanted.pattern.format(region=re.escape(region), account=account))
    odd = [entry for entry in entries if not pattern.fullmatch(entry) and not _placeholder(entry)]
    if odd:
        step = f"Correct it: entries look like {_example(wanted.pattern, region, account)}"
        return [problem(LISTS, f"{parameter} has entries that are not of this account and region: {_some(odd)}", step)]
    return []


def _placeholder(entry: str) -> bool:
    """Whether an entry stands for an empty list, which SSM does not have."""
    return entry.endswith("none")


def _some(entries: Sequence[str]) -> str:
    more = len(entries) - _NAMED
    return ", ".join(entries[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _example(pattern: str, region: str, account: str) -> str:
    plain = pattern.format(region=region, account=account).replace("[a-z-]+", "aws").replace(".+", "NAME")
    return plain if plain.startswith("arn:") else "NAME"
