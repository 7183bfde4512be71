"""What the template says: functions with their settings and time-outs, queues, and what the table's stream wakes."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
QUEUES = "https://sqs.example/"
"""What the address of each queue begins with; its logical id follows."""


@dataclass(frozen=True)
class Queue:
    """A queue that invokes a function."""

    name: str
    function: str
    batch: int
    """Messages that one invocation gets at most."""
    visibility: float
    """Seconds after which a message that failed comes again."""
    receives: int
    """How often it comes before it is dead."""
    at_once: int | None
    """How many invocations at the same time; None: as many as Lambda has."""


@dataclass(frozen=True)
class Stream:
    """How the table's stream invokes a function."""

    function: str
    batch: int
    tries: int
    prefix: str
    """Only new items wake it whose sort key begins with this, and which are `pending`."""


class _Template(yaml.SafeLoader):
    """CloudFormation's YAML. `!Ref` and `!GetAtt` become the name that they have; nothing else is needed."""


def _named(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> str | None:
    return str(node.value) if suffix in ("Ref", "GetAtt") and isinstance(node, yaml.ScalarNode) else None


_Template.add_multi_constructor("!", _named)


@cache
def template() -> dict[str, Any]:
    """Return the template's resources and globals."""
    return dict(yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=_Template))


def functions() -> dict[str, dict[str, Any]]:
    """Return the properties of each function."""
    found = template()["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == "AWS::Serverless::Function"}


@cache
def timeouts() -> dict[str, float]:
    """Return how long each function may run, in seconds."""
    default = template()["Globals"]["Function"]["Timeout"]
    return {name: float(function.get("Timeout", default)) for name, function in functions().items()}


@cache
def setting(function: str, name: str) -> str:
    """Return a setting of a function as the template has it; the address of a queue where it names one."""
    shared = template()["Globals"]["Function"].get("Environment", {}).get("Variables", {})
    value = str((shared | functions()[function].get("Environment", {}).get("Variables", {}))[name])
    resource = template()["Resources"].get(value, {"Type": ""})
    return f"{QUEUES}{value}" if resource["Type"] == "AWS::SQS::Queue" else value


def _sources(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, event["Properties"])
        for name, function in functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == kind
    ]


@cache
def queues() -> dict[str, Queue]:
    """Return each queue that invokes a function."""
    found = {}
    for function, source in _sources("SQS"):
        name = source["Queue"].removesuffix(".Arn")
        about = template()["Resources"][name]["Properties"]
        most = int(about["RedrivePolicy"]["maxReceiveCount"])
        at_once = source.get("ScalingConfig", {}).get("MaximumConcurrency")
        found[name] = Queue(
            name, function, int(source["BatchSize"]), float(about["VisibilityTimeout"]), most,
            template()["Parameters"][at_once]["Default"] if at_once else None,
        )  # fmt: skip
    return found


@cache
def stream() -> Stream:
    """Return what the table's stream wakes."""
    ((function, source),) = _sources("DynamoDB")
    (only,) = source["FilterCriteria"]["Filters"]
    image = json.loads(only["Pattern"])["dynamodb"]["NewImage"]
    assert image.keys() == {"sk", "pending"}, image
    tries = 1 + int(source["MaximumRetryAttempts"])
    return Stream(function, int(source["BatchSize"]), tries, image["sk"]["S"][0]["prefix"])
