"""Several migrations in the document: what is taken, and what a person learns otherwise."""

from typing import Any

import pytest

from ferryman.errors import InvalidDocument
from ferryman.platform import Platform, parse

AT = "spec.environments.staging"


@pytest.fixture
def one(scr_document: dict[str, Any]) -> dict[str, Any]:
    """The migration of staging, taken out of the document."""
    found: dict[str, Any] = scr_document["spec"]["environments"]["staging"].pop("migration")
    return found


def parsed(document: dict[str, Any], *migrations: dict[str, Any], **fields: Any) -> Platform:
    document["spec"]["environments"]["staging"] |= {"migrations": list(migrations), **fields}
    return parse(document)


def problems(document: dict[str, Any], *migrations: dict[str, Any], **fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        parsed(document, *migrations, **fields)
    return dict(caught.value.problems)


def test_they_keep_their_order_and_survive_a_round_trip(scr_document: dict[str, Any], one: dict[str, Any]) -> None:
    platform = parsed(scr_document, {**one, "name": "stock"}, {**one, "name": "orders", "component": "web"})
    environment = platform.environment("staging")
    assert list(environment.every_migration) == ["stock", "orders"]
    assert environment.migration_path("orders") == "migrations.1"
    assert environment.migrates_alone("stock")
    assert parse(platform.dump()) == platform


def test_the_one_without_a_name_is_as_before(scr_document: dict[str, Any]) -> None:
    environment = parse(scr_document).environment("staging")
    assert list(environment.every_migration) == [""]
    assert environment.every_migration[""] is environment.migration
    assert (environment.migration_path(""), environment.migrates_alone("")) == ("migration", True)


def test_there_may_be_none(scr_document: dict[str, Any], one: dict[str, Any]) -> None:
    assert one
    assert parsed(scr_document).environment("staging").every_migration == {}


def test_both_ways_of_writing_contradict_each_other(scr_document: dict[str, Any], one: dict[str, Any]) -> None:
    found = problems(scr_document, {**one, "name": "stock"}, migration=one)
    assert "cannot be combined with migration" in found[f"{AT}.migrations"]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        pytest.param({"name": "orders"}, "migrations.1.name", "'orders' appears twice", id="twice"),
        pytest.param({"name": "Stock"}, "migrations.1.name", "lowercase", id="no-name"),
        pytest.param({"name": "s" * 25}, "migrations.1.name", "24", id="too-long"),
        pytest.param({"name": "not-rollback-safe"}, "migrations.1.name", "has a meaning in image labels", id="label"),
        pytest.param({"component": "apii"}, "migrations.1.component", "did you mean api?", id="component"),
        pytest.param({"downgrade": ["alembic"]}, "migrations.1.downgrade", "has no {revision}", id="downgrade"),
        pytest.param({"timeout": "13h"}, "migrations.1.timeout", "too long", id="timeout"),
    ],
)
def test_what_is_wrong_with_one_has_its_path(
    scr_document: dict[str, Any], one: dict[str, Any], changes: dict[str, Any], path: str, words: str
) -> None:
    found = problems(scr_document, {**one, "name": "orders"}, {**one, "name": "stock", **changes})
    assert words in found[f"{AT}.{path}"], found


def test_at_most_ten_and_a_day_in_all(scr_document: dict[str, Any], one: dict[str, Any]) -> None:
    """An execution has room for that: `tests/contract/test_machine.py`."""
    many = [{**one, "name": f"db-{number}"} for number in range(11)]
    assert parsed(scr_document, *many[:10])
    assert "10" in problems(scr_document, *many)[f"{AT}.migrations"]
    long = [{**item, "timeout": "12h"} for item in many[:3]]
    assert parsed(scr_document, *long[:2])
    assert "add up to more than 24h" in problems(scr_document, *long)[f"{AT}.migrations"]
