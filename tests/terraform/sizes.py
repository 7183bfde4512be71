"""How large everything becomes that AWS limits and that grows with platforms and services: `make sizes`.

Computed from Terraform's plan of the operator's lists and from template.yaml, for 1, 3 and 10 platforms with 100
services and 3 environments each, with the longest names. Limits: docs/reference/aws-facts.md#limits.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.template import functions, resources, template
from ferryman.records import limits
from terraform.tool import OFFLINE, TERRAFORM, Tool
from unit.item_sizes import KINDS, of

PLATFORMS = (1, 3, 10)
SERVICES = 100
ENVIRONMENTS = ("development", "production", "staging")
REGION = "ap-southeast-2"
ELSE = "x" * 140
"""In place of what is known after the deployment only: the ARN of a function of a stack with a long name is shorter."""
ADDED = 400
"""What SAM adds to a role for a dead-letter queue or a destination: one statement."""

PARAMETER, POLICY, PATTERN, VARIABLES, ITEM = (
    "SSM parameter, and parameter of the stack",
    "inline policies of a role",
    "event pattern of a rule",
    "environment variables of a function",
    "item of the table",
)
LIMITS = {PARAMETER: 4_096, POLICY: 10_240, PATTERN: 2_048, VARIABLES: 4_096, ITEM: limits.ITEM}


@dataclass(frozen=True)
class Size:
    """One size and what has it."""

    kind: str
    name: str
    size: int


def platforms(count: int, **also: Any) -> dict[str, Any]:
    """The variable `platforms` of Terraform's roots: names as long as they can be."""
    return {
        name: {
            "environments": list(ENVIRONMENTS),
            "components": [f"service-{number:03}" for number in range(SERVICES)],
            "topics": ["team", "releases"],
            "mail_identities": [f"{name}.example.com"],
            "job_arns": [f"arn:aws:scheduler:{REGION}:123456789012:schedule/{name}-{e}/*" for e in ENVIRONMENTS],
            "job_role_arns": [f"arn:aws:iam::123456789012:role/ferryman/{name}/*"],
            "roles_below_path": True,
            **also,
        }
        for name in (f"platform-{number:03}" for number in range(count))
    }


def planned(tool: Tool, root: str, count: int, *arguments: str) -> list[dict[str, Any]]:
    """The resources of a root's plan, in any module."""
    folder, out = TERRAFORM / root, f"sizes-{count}.plan"
    variables = (f"-var=platforms={json.dumps(platforms(count))}", f"-var=aws_region={REGION}", *arguments)
    with tool.alone(folder):
        tool.initialise(folder)
        tool.clean(folder, "plan", "-no-color", *variables, f"-out={out}")
        shown = json.loads(tool.clean(folder, "show", "-json", out))
    found, waiting = [], [shown["planned_values"]["root_module"]]
    while waiting:
        part = waiting.pop()
        found += [item for item in part.get("resources", []) if item["mode"] == "managed"]
        waiting += part.get("child_modules", [])
    return found


def lists(tool: Tool, count: int) -> dict[str, str]:
    """Name of the SSM parameter → value, of what the operator's template reads."""
    made = [item["values"] for item in planned(tool, "shared", count) if item["type"] == "aws_ssm_parameter"]
    # A plan does not know the ARN of the alarms' topic yet.
    return {values["name"]: values.get("insecure_value", ELSE) for values in made}


def of_stack(written: dict[str, str]) -> Iterator[Size]:
    """The sizes of the operator's stack with these lists."""
    values: dict[str, Any] = {}
    for name, parameter in template()["Parameters"].items():
        if parameter["Type"].startswith("AWS::SSM::Parameter::Value"):
            text = written[parameter["Default"]]
            values[name] = text.split(",") if "List<" in parameter["Type"] else text
            yield Size(PARAMETER, name, len(text))
        elif name == "AdminArns":
            values[name] = "x" * int(parameter["MaxLength"])
        else:
            values[name] = str(parameter["Default"]) or ELSE
    for name, properties in {**functions(), **machines()}.items():
        policies = resolved(properties.get("Policies", []), values)
        added = ("DeadLetterQueue" in properties) + json.dumps(properties).count("DestinationConfig")
        yield Size(POLICY, name, sum(map(dense, policies)) + ADDED * added)
        variables = {
            **template()["Globals"]["Function"]["Environment"]["Variables"],
            **properties.get("Environment", {}).get("Variables", {}),
        }
        yield Size(
            VARIABLES, name, sum(len(key) + len(str(resolved(value, values))) for key, value in variables.items())
        )
        for event, source in properties.get("Events", {}).items():
            if source["Type"] == "EventBridgeRule":
                yield Size(PATTERN, f"{name}{event}", dense(resolved(source["Properties"]["Pattern"], values)))


def of_ci(tool: Tool) -> Iterator[Size]:
    """The sizes of one platform's own roles: CI names every repository."""
    made = planned(tool, "platform", 1, "-var=platform=platform-000", "-var=github_repository=acme/platform")
    for item in made:
        if item["type"] == "aws_iam_role_policy":
            yield Size(
                POLICY, f"ci-{item['values']['name']} of a platform", dense(json.loads(item["values"]["policy"]))
            )


def of_items() -> Iterator[Size]:
    """The largest record of each kind: its size does not depend on how many platforms there are."""
    return (Size(ITEM, kind.__name__, of(kind)) for kind in KINDS)


def every(tool: Tool) -> dict[int, list[Size]]:
    """All sizes, for each number of platforms."""
    always = [*of_ci(tool), *of_items()]
    return {count: [*of_stack(lists(tool, count)), *always] for count in PLATFORMS}


def machines() -> dict[str, Any]:
    """The state machines: each has a role, too."""
    return {name: item["Properties"] for name, item in resources("AWS::Serverless::StateMachine").items()}


def resolved(value: Any, parameters: dict[str, Any]) -> Any:
    """A part of the template with its parameters put in."""
    match value:
        case {"Ref": name}:
            return parameters.get(name, ELSE)
        case {"GetAtt": _}:
            return ELSE
        case {"Sub": text}:
            places = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": "123456789012"}
            return re.sub(r"\$\{([^}]+)\}", lambda found: places.get(found[1], ELSE), text)
        case {"If": [_, *branches]}:
            return max((resolved(branch, parameters) for branch in branches), key=dense)
        case dict():
            return {key: resolved(item, parameters) for key, item in value.items()}
        case list():
            return [resolved(item, parameters) for item in value]
    return value


def dense(value: Any) -> int:
    """The characters of a JSON text that AWS counts: without white space."""
    return len(re.sub(r"\s", "", json.dumps(value)))


def table(sizes: dict[int, list[Size]]) -> str:
    """The largest of each kind, for each number of platforms."""
    rows = [f"{'':44}{'limit':>9}" + "".join(f"{count:>9}" for count in sizes) + "  largest"]
    for kind, limit in LIMITS.items():
        largest = {
            count: max((one for one in found if one.kind == kind), key=lambda one: one.size)
            for count, found in sizes.items()
        }
        figures = "".join(f"{one.size:>9,}" for one in largest.values())
        rows.append(f"{kind:44}{limit:>9,}{figures}  {list(largest.values())[-1].name}")
    return "\n".join(rows)


def main() -> int:
    """Print the table; 1 if something is too large."""
    with tempfile.TemporaryDirectory() as folder:
        found = every(Tool(str(OFFLINE), Path(folder)))
    print(f"1, 3 and 10 platforms with {SERVICES} services and {len(ENVIRONMENTS)} environments each.\n")
    print(table(found))
    return int(any(one.size > LIMITS[one.kind] for sizes in found.values() for one in sizes))


if __name__ == "__main__":
    sys.exit(main())
