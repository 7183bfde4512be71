"""What changes against what runs, in words: names of variables and secrets, never their values."""

from typing import Any

import pytest

from ferryman.decisions import what_changes
from unit import builders as make

OLD, NEW = f"registry/scr-api@{make.digest('a')}", f"registry/scr-api@{make.digest('b')}"


def definition(*more: dict[str, Any], task: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    return {
        "family": "scr-api",
        "cpu": "256",
        "containerDefinitions": [{"name": "app", "image": OLD, **container}, *more],
        **(task or {}),
    }


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def secrets(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "valueFrom": value} for name, value in values.items()]


SIDECAR = {"name": "proxy", "image": "nginx:1.26"}


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {}, []),
        ({}, {"image": NEW}, ["image: aaaaaaaaaaaa becomes bbbbbbbbbbbb"]),
        (
            {"environment": pairs(A="1", B="1", C="1")},
            {"environment": pairs(A="1", B="2", D="1")},
            ["environment variables: added D; changed B; removed C"],
        ),
        ({"secrets": secrets(K="arn:one")}, {"secrets": secrets(K="arn:two")}, ["secrets: changed K"]),
        ({}, {"secrets": secrets(K="arn:one")}, ["secrets: added K"]),
        ({"memory": 512}, {"memory": 1024}, ["memory: 512 MiB becomes 1024 MiB"]),
        ({"cpu": 1}, {}, ["CPU: 1 units is removed"]),
        ({}, {"command": ["sh", "-c", "x"]}, ["command: `sh -c x`"]),
        ({"command": ["a"]}, {"command": ["b", "`c`"]}, ["command: `a` becomes `b 'c'`"]),
        ({}, {"entryPoint": ["x"]}, ["entry point: `x`"]),
        ({}, {"environmentFiles": [{"value": "arn:s3/x.env"}]}, ["environment files: added arn:s3/x.env"]),
        ({}, {"healthCheck": {"command": ["x"]}, "user": "root"}, ["other settings: healthCheck, user changed"]),
        ({"task": {"taskRoleArn": "arn:role/a"}}, {"task": {"taskRoleArn": "arn:role/b"}}, ["task role: a becomes b"]),
        ({"task": {"cpu": "512"}}, {}, ["CPU of the task: 512 becomes 256"]),
        ({}, {"task": {"volumes": [{"name": "v"}]}}, ["other settings of the task: volumes changed"]),
        ({"task": {"tags": [{"key": "a", "value": "b"}]}}, {}, []),
    ],
)
def test_of_one_container(before: Any, after: Any, lines: list[str]) -> None:
    assert what_changes.of_definition(definition(**before), definition(**after)) == lines


def test_of_several_containers_each_is_named() -> None:
    before, after = definition(SIDECAR), definition({**SIDECAR, "image": "nginx:1.27"})
    assert what_changes.of_definition(before, after) == ["container proxy: image: nginx:1.26 becomes nginx:1.27"]
    added = what_changes.of_definition(definition(), definition({**SIDECAR, "environment": pairs(A="1")}))
    assert added == [
        "container proxy is new",
        "container proxy: image: nginx:1.26",
        "container proxy: environment variables: added A",
    ]
    assert what_changes.of_definition(definition(SIDECAR), definition()) == ["container proxy is removed"]


def test_what_runs_may_be_unreadable() -> None:
    assert what_changes.of_definition(None, definition(environment=pairs(A="1")))[0] == what_changes.UNREADABLE


def test_no_value_is_ever_told() -> None:
    after = definition(environment=pairs(PASSWORD="hunter2"), secrets=secrets(KEY="arn:aws:secret:xyz"))
    told = str(what_changes.of_definition(definition(), after))
    assert "hunter2" not in told
    assert "xyz" not in told


def test_a_secret_in_a_command_is_hidden() -> None:
    told = what_changes.of_definition(definition(), definition(command=["run", "--password=hunter2hunter2"]))
    assert "hunter2" not in str(told)


def test_words_are_bounded() -> None:
    many = {f"VARIABLE_{number}": "1" for number in range(500)}
    (line,) = what_changes.of_definition(definition(), definition(environment=pairs(**many)))
    assert line.endswith("and 488 more")
    others = [{"name": f"c{number}", "image": f"x:{number}", "environment": pairs(A="1")} for number in range(200)]
    lines = what_changes.of_definition(definition(), definition(*others))
    assert len(lines) == 40
    assert lines[-1].endswith("more changes")


def test_a_migration_says_its_command_and_image() -> None:
    task = make.migration(name="orders")
    assert what_changes.of_migration(None, task) == [
        "`alembic upgrade head` runs once with the image of api aaaaaaaaaaaa"
    ]
    before = task.but(command=["alembic", "upgrade", "+1"], subnets=["subnet-9"])
    assert what_changes.of_migration(before, task)[1:] == [
        "its command changed: it was `alembic upgrade +1`",
        "its network changed: subnets",
    ]
