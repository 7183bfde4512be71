"""Every type of channel has all that belongs to one; docs/development/adding-a-channel.md says how to add one."""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from contract.machine import ROOT
from contract.template import functions, statements
from ferryman.notify import dispatch
from ferryman.notify.context import Context
from ferryman.platform.base import Model
from ferryman.platform.channels import Channel
from ferryman.records import OutboxMessage

TYPES: list[type[Model]] = list(get_args(get_args(Channel)[0]))
NOTIFY = ROOT / "layers/core/ferryman/notify"
IAM = {"sesv2": "ses"}
"""Name of a boto3 client → prefix of its actions, where it is another."""


def allowed() -> set[str]:
    """Return the services of AWS, as IAM calls them, of which the template allows something to Notify."""
    return {action.split(":")[0] for one in statements(functions()["Notify"]) for action in one["Action"]}


def lacks(model: type[Model], modules: Mapping[type[Any], str], allowed: set[str]) -> Iterator[str]:
    """Yield what a type of channel lacks."""
    kind = get_args(model.model_fields["type"].annotation)[0]
    name = modules.get(model)
    if name is None:
        yield f"an entry for {model.__name__} in MODULES of notify/dispatch.py"
    elif not (NOTIFY / f"{name}.py").exists():
        yield f"the file notify/{name}.py"
    else:
        yield from _code_lacks(model, name, allowed)
    yield from _page_lacks(model, kind)
    schema = json.loads((ROOT / "docs/schema/platform.v1.json").read_text())
    if model.__name__ not in schema["$defs"]:
        yield "its definition in docs/schema/platform.v1.json: run make schema"


def _code_lacks(model: type[Model], name: str, allowed: set[str]) -> Iterator[str]:
    send = getattr(import_module(f"ferryman.notify.{name}"), "send", None)
    wanted = [OutboxMessage, model, Context]
    if send is None or [one.annotation for one in inspect.signature(send).parameters.values()] != wanted:
        yield f"send(message: OutboxMessage, channel: {model.__name__}, context: Context) in notify/{name}.py"
    if not (ROOT / f"tests/unit/notify/test_{name}.py").exists():
        yield f"its tests in tests/unit/notify/test_{name}.py"
    for service in sorted({IAM.get(one, one) for one in services(NOTIFY / f"{name}.py")} - allowed):
        yield f"a statement of Notify in template.yaml that allows what it does in {service}"


def _page_lacks(model: type[Model], kind: str) -> Iterator[str]:
    page = (ROOT / "docs/platform.md").read_text()
    section = page[page.index("\n### Channels\n") :].split("\n### ")[1]
    _, found, rows = section.partition(f"| `type: {kind}` |")
    if not found:
        yield f"a row `type: {kind}` under Channels in docs/platform.md, and rows for its fields below it"
        return
    documented = re.findall(r"`(\w+)`", rows.partition("| `type: ")[0])
    for alias in [field.alias or name for name, field in model.model_fields.items() if name != "type"]:
        if alias not in documented:
            yield f"a row for `{alias}` below `type: {kind}` in docs/platform.md"


def services(path: Path) -> set[str]:
    """Return the AWS services that a module of notify asks, and those of notify that it imports."""
    tree = ast.parse(path.read_text())
    found = {"ssm"}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Constant(value=str() as service)]):
                found.add(service)
            case ast.Call(func=ast.Attribute(attr="secret")):
                found.add("secretsmanager")
            case ast.ImportFrom(module="ferryman.notify", names=names):
                found |= {service for one in names for service in services(NOTIFY / f"{one.name}.py")}
    return found


@pytest.mark.parametrize("model", TYPES, ids=lambda model: model.__name__)
def test_a_type_of_channel_lacks_nothing(model: type[Model]) -> None:
    missing = list(lacks(model, dispatch.MODULES, allowed()))
    assert not missing, "\n- ".join([f"{model.__name__} lacks (see docs/development/adding-a-channel.md):", *missing])


class PigeonChannel(Model):
    type: Literal["pigeon"]
    loft: str


class LoftChannel(Model):
    type: Literal["sns"]
    loft: str


NO_PAGE = "a row `type: pigeon` under Channels in docs/platform.md, and rows for its fields below it"
NO_FIELD = "a row for `loft` below `type: sns` in docs/platform.md"
NO_SCHEMA = "its definition in docs/schema/platform.v1.json: run make schema"


@pytest.mark.parametrize(
    ("model", "modules", "missing"),
    [
        pytest.param(
            PigeonChannel,
            {},
            ["an entry for PigeonChannel in MODULES of notify/dispatch.py", NO_PAGE, NO_SCHEMA],
            id="a-model-only",
        ),
        pytest.param(
            PigeonChannel,
            {PigeonChannel: "pigeon"},
            ["the file notify/pigeon.py", NO_PAGE, NO_SCHEMA],
            id="registered",
        ),
        pytest.param(
            LoftChannel,
            {LoftChannel: "errors"},
            [
                "send(message: OutboxMessage, channel: LoftChannel, context: Context) in notify/errors.py",
                "its tests in tests/unit/notify/test_errors.py",
                "a statement of Notify in template.yaml that allows what it does in ssm",
                NO_FIELD,
                NO_SCHEMA,
            ],
            id="an-empty-module",
        ),
        pytest.param(
            LoftChannel,
            {LoftChannel: "slack"},
            [
                "send(message: OutboxMessage, channel: LoftChannel, context: Context) in notify/slack.py",
                "a statement of Notify in template.yaml that allows what it does in secretsmanager",
                "a statement of Notify in template.yaml that allows what it does in ssm",
                NO_FIELD,
                NO_SCHEMA,
            ],
            id="the-module-of-another-type",
        ),
    ],
)
def test_what_a_new_type_lacks_is_named(
    model: type[Model], modules: Mapping[type[Any], str], missing: list[str]
) -> None:
    assert list(lacks(model, modules, set())) == missing
