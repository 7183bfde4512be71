"""Whether a push to a repository reaches the operator. Pure."""

import fnmatch
import json
from collections.abc import Iterable
from typing import Any

from ferryman_cli.doctor.checks import Blind, Check, Seen, blind, ok, problem

PUSHES = "pushes"
RULE = "ReceivePushPushed"
"""The rule for push events in template.yaml, as SAM names it."""


def pushes(rule: Seen, repositories: Iterable[str]) -> Check:
    """Judge the answer of DescribeRule for the rule that wakes the operator when an image is pushed."""
    repositories = sorted(set(repositories))
    if isinstance(rule, Blind):
        return blind(PUSHES, rule)
    if rule is None:
        return problem(PUSHES, "the stack's rule for push events does not exist", "Deploy the stack again")
    if rule.get("State") == "DISABLED":
        step = f"`aws events enable-rule --name {rule['Name']}`; until then, the sweep finds pushes every few minutes"
        return problem(PUSHES, "the rule for push events is disabled", step)
    deaf = [name for name in repositories if not _hears(json.loads(rule["EventPattern"]), name)]
    if deaf:
        step = "Deploy the stack of this version: its rule takes the pushes of every repository"
        return problem(PUSHES, f"pushes to {', '.join(deaf)} do not wake the operator", step)
    return ok(PUSHES, f"pushes to {', '.join(repositories)} wake the operator" if repositories else "the rule is on")


def _hears(pattern: dict[str, Any], repository: str) -> bool:
    given = pattern.get("detail", {}).get("repository-name")
    return given is None or any(_matches(one, repository) for one in given)


def _matches(one: Any, name: str) -> bool:
    if isinstance(one, str):
        return one == name
    if "prefix" in one:
        return name.startswith(one["prefix"])
    if "suffix" in one:
        return name.endswith(one["suffix"])
    if "wildcard" in one:
        return fnmatch.fnmatchcase(name, one["wildcard"])
    return True
