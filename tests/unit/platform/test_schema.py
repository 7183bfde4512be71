"""The committed JSON Schema is the models', takes the example, and catches typos."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ferryman.platform import parse, schema

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "docs/schema/platform.v1.json"
EXAMPLE = ROOT / "examples/scr-platform/platform.yaml"


def example() -> Any:
    return yaml.safe_load(EXAMPLE.read_text())


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    return jsonschema.Draft202012Validator(schema.schema())


def test_committed_file_is_what_the_models_say() -> None:
    assert COMMITTED.read_text() == schema.text(), (
        "run: python -m ferryman.platform.schema > docs/schema/platform.v1.json"
    )


def test_example_is_taken(validator: Any) -> None:
    assert list(validator.iter_errors(example())) == []


def test_a_document_with_every_default_written_out_is_taken(validator: Any) -> None:
    assert list(validator.iter_errors(parse(example()).dump())) == []


def fields(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for definition, model in node["$defs"].items():
        for field, value in model.get("properties", {}).items():
            yield f"{definition}.{field}", value
    for field, value in node["properties"].items():
        yield field, value


@pytest.mark.parametrize(("name", "field"), list(fields(schema.schema())))
def test_every_field_is_described(name: str, field: dict[str, Any]) -> None:
    assert field.get("description")
    assert "$ref" in field or field.get("title") or "anyOf" in field


WRONG = [
    ("spec", "componets", {}),
    ("spec.environments.staging", "cluter", "x"),
    ("spec.environments.staging", "onFailure", "rolback"),
    ("spec.environments.staging", "triggers", ["puhs"]),
    ("spec.environments.staging.waves.0.services.0", "timeout", "10 minutes"),
    ("spec.environments.staging.waves.0.services.0", "base_task_definition", "x"),
    ("spec.environments.staging.waves.0.services.0", "failFast", "2"),
    ("spec.environments.staging.migration.network", "subnets", "subnet-1"),
    ("spec.environments.staging", "cluster", "ssm:x"),
    ("spec.environments", "Production", {}),
    ("spec.components", "Bad Name", {"repository": "x"}),
    ("spec.channels", "team", {"type": "slak"}),
    ("metadata", "name", "SCR"),
]


@pytest.mark.parametrize(("path", "name", "value"), WRONG, ids=[f"{path}.{name}" for path, name, _ in WRONG])
def test_typos_are_caught(validator: Any, path: str, name: str, value: Any) -> None:
    document = copy.deepcopy(example())
    place = document
    for part in path.split("."):
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[name] = value
    assert not validator.is_valid(document)


def test_defaults_are_written_as_people_write_them() -> None:
    made = json.loads(schema.text())
    assert made["$defs"]["Service"]["properties"]["timeout"]["default"] == "10m"
    assert made["$defs"]["SmokeTest"]["properties"]["delay"]["default"] == "15s"
    assert made["$defs"]["Service"]["properties"]["baseTaskDefinition"]["title"] == "Base task definition"


PAGE = (ROOT / "docs/platform.md").read_text()


@pytest.mark.parametrize(("name", "field"), list(fields(schema.schema())))
def test_every_field_is_on_the_page_with_its_default(name: str, field: dict[str, Any]) -> None:
    field_name = name.rpartition(".")[2]
    rows = [row for row in PAGE.splitlines() if row.startswith("|")]
    owner = {"Expectation": "expect.", "Network": "network.", "Metadata": "metadata."}.get(name.partition(".")[0], "")
    if name in ("SmokeTest.expect", "Migration.network", "NamedMigration.network", "metadata"):
        assert f"`{field_name}." in PAGE
        return
    wanted = f"`{owner}{field_name}`" if field_name != "type" else f"`type: {field['const']}`"
    mentioned = [row for row in rows if wanted in row.split("|")[1]]
    assert mentioned, f"docs/platform.md has no row for {wanted}"
    default = field.get("default")
    if default not in (None, [], {}):
        shown = {True: "true", False: "false"}.get(default, default) if isinstance(default, bool) else default
        shown = f"[{', '.join(map(str, shown))}]" if isinstance(shown, list) else str(shown)
        assert any(f"`{shown}`" in row.split("|")[3] for row in mentioned), f"{wanted}: default {shown} is not told"
