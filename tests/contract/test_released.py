"""What released versions stored is read by today's models, written back without loss, and still read by their own code.

The other direction counts, too: while the operator is updated, and after an update that is rolled back, the version
before reads what this one wrote.
"""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import AwareDatetime, BaseModel

from ferryman.decisions.outcome import judge
from ferryman.records import Deployment, Record
from ferryman.records.writes import Add, Once, Save
from ferryman.store import items

RELEASED = Path(__file__).parent / "released"
STORED = sorted(RELEASED.glob("*/deployment.json"))
RECORDED = sorted(path.parent for path in RELEASED.glob("*/items.json"))
releases = pytest.mark.parametrize("release", RECORDED, ids=lambda path: path.name)

KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for write in (Save, Add, Once)
    for found in [get_type_hints(write)["record"]]
    for kind in get_args(found) or (found,)
}
"""Every record that the table can hold: each has a key of its own kind."""

NEWER_KINDS: dict[str, set[str]] = {
    # Logs; and what one item can't hold: a deployment that 0.1.0 could not have brought to its end.
    "0.1.0": {
        "IgnoredTags",
        "Pace",
        "UsedProof",
        "UnprovedCalls",
        "StepLog",
        "PlanPart",
        "SplitStep",
        "Ownership",
        "OwnershipRegister",
        "WrongWords",
        "Proposal",
        "AdoptedImages",
        "ScheduledLook",
        "ReleasePointer",
    },
}
"""Release → kinds of record that came after it: it never reads them."""
NEWER_VALUES: dict[str, set[str]] = {
    # Stands in the timeline of a platform that has no document any more: 0.1.0 does not show that one either.
    # The condition is written once a rollout has waited out its second bound: nothing of 0.1.0 runs beside it any more.
    # It is taken away once the old tasks are gone: an update that is rolled back later leaves what 0.1.0 can read.
    # A migration is Former once the name of a deleted environment is used again, which no deployment of 0.1.0 outlives.
    "0.1.0": {
        "TimelineEvent.type=Retired",
        "EnvironmentState.conditions.type=OldTasksRemain",
        "MigrationClaim.status=Former",
    },
}
"""Release → values (`Deployment.phase=Paused`) that came after it, and that it can't read. Each one is a page or a step
of that release that fails while it runs beside this one; say in a comment why that is acceptable."""

BESIDE = {"expiresAt"}
"""Attributes that are written beside a record, by `ferryman.records.writes.Add`."""


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, f"{path}.{name}").items()}
    return {path: value}


def lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Where `after` lacks or changes what `before` says; it may say more."""
    if isinstance(before, dict) and isinstance(after, dict):
        missing = [f"{path}.{name} is gone" for name in before.keys() - after.keys()]
        return missing + [
            line for name in before.keys() & after.keys() for line in lost(before[name], after[name], f"{path}.{name}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for number, pair in enumerate(zip(before, after, strict=True))
            for line in lost(*pair, f"{path}[{number}]")
        ]
    return [] if before == after and type(before) is type(after) else [f"{path}: {before!r} became {after!r}"]


def recorded(release: Path) -> list[tuple[str, dict[str, Any]]]:
    return [(kind, item) for kind, item in json.loads((release / "items.json").read_text())]


def read(kind: str, item: dict[str, Any]) -> Record:
    return KINDS[kind].model_validate(items.plain(item))


def written(record: Record, item: dict[str, Any]) -> dict[str, Any]:
    """The record as it would be stored in the place of `item`."""
    return items.item(record, **{name: value for name, value in items.plain(item).items() if name in BESIDE})


def unpacked(release: Path, folder: Path) -> Path:
    zipfile.ZipFile(io.BytesIO((release / "operator.zip").read_bytes())).extractall(folder)
    return folder


def read_by(operator: Path, rows: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the released code makes of items."""
    script = Path(__file__).parent / "reads_with.py"
    command = [sys.executable, "-I", str(script), str(operator)]
    done = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, cwd=operator, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def samples(wanted: Any) -> list[Any]:
    """Plain values of a type that together have every field filled, and every value of a closed set."""
    arguments = get_args(wanted)
    if get_origin(wanted) in (Union, UnionType):
        return [value for part in arguments for value in samples(part)]
    if get_origin(wanted) is Literal:
        return list(arguments)
    if get_origin(wanted) is Annotated:
        return samples(arguments[0])
    if get_origin(wanted) in (list, tuple):
        return [samples(arguments[0]), []]
    if get_origin(wanted) is dict:
        return [{f"{number}": value for number, value in enumerate(samples(arguments[1]))}, {}]
    if wanted is NoneType:
        return [None]
    if wanted is AwareDatetime:
        return ["2026-01-02T03:04:05.678901Z"]
    if wanted is Any:
        return [{"text": "some", "number": 1.5, "list": [1, None, True]}]
    if issubclass(wanted, Enum):
        return [member.value for member in wanted]
    if issubclass(wanted, BaseModel):
        fields = {field.alias or name: samples(field.annotation) for name, field in wanted.model_fields.items()}
        longest = max(len(values) for values in fields.values())
        return [{name: values[number % len(values)] for name, values in fields.items()} for number in range(longest)]
    return {str: ["some"], int: [7], bool: [True, False], float: [1.5]}[wanted]


def test_every_release_left_a_record() -> None:
    assert STORED, "tests/contract/released/ holds no deployment.json"
    assert RECORDED, "tests/contract/released/ holds no items.json"
    assert set(RECORDED) == {path for path in RELEASED.iterdir() if path.is_dir()}


def test_what_was_released_is_never_rewritten() -> None:
    sums = dict(reversed(line.split("  ")) for line in (RELEASED / "SHA256SUMS").read_text().splitlines())
    files = {str(path.relative_to(RELEASED)): path for path in RELEASED.glob("*/*")}
    assert files.keys() == sums.keys(), (
        "scripts/keep-release adds sums; whoever removes a release removes its sums, too"
    )
    changed = [name for name, path in files.items() if hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]]
    assert not changed, (
        f"{changed} are what a release left behind: restore them (git checkout), and keep new ones beside"
    )


@releases
def test_the_machine_of_the_kept_operator_is_kept_in_the_open(release: Path) -> None:
    """`test_machine.py` checks it against today's models; it does not look into archives."""
    with zipfile.ZipFile(release / "operator.zip") as operator:
        machine = operator.read("statemachines/deploy.asl.json")
    assert machine in [path.read_bytes() for path in release.glob("*.asl.json")]


@releases
def test_every_kind_of_record_has_an_item(release: Path) -> None:
    kinds, newer = {kind for kind, _ in recorded(release)}, NEWER_KINDS[release.name]
    assert not KINDS.keys() - kinds - newer, (
        f"{release.name} stored none of these: list them in NEWER_KINDS, and have tests/flow/recording.py bring them "
        "about, so that the next release keeps one of each (scripts/keep-release)"
    )
    assert not newer & kinds, "these are not newer: the release stored them"
    assert not kinds - KINDS.keys(), "the release stored these, and nobody reads them any more"


@releases
def test_every_item_is_read_and_written_back_without_loss(release: Path) -> None:
    told = {}
    for kind, item in recorded(release):
        if found := lost(item, written(read(kind, item), item)):
            told[f"{kind} {item['pk']['S']} {item['sk']['S']}"] = found
    assert not told, "today's models or keys drop or change what a release stored"


@releases
def test_what_we_write_of_its_items_is_read_by_the_release(release: Path, tmp_path: Path) -> None:
    records = [(kind, read(kind, item), item) for kind, item in recorded(release)]
    answers = read_by(unpacked(release, tmp_path), [(kind, written(record, item)) for kind, record, item in records])
    for (kind, record, item), answer in zip(records, answers, strict=True):
        assert "dump" in answer, f"{release.name} can't read what became of {kind} {item['sk']}: {answer['errors']}"
        assert not lost(answer["dump"], record.dump()), f"{release.name} reads something else in {kind} {item['sk']}"


@releases
def test_whatever_we_may_write_is_read_by_the_release(release: Path, tmp_path: Path) -> None:
    """Every field filled, and every value of every closed set."""
    kinds = KINDS.keys() - NEWER_KINDS[release.name]
    records = [(kind, KINDS[kind].model_validate(data)) for kind in sorted(kinds) for data in samples(KINDS[kind])]
    answers = read_by(unpacked(release, tmp_path), [(kind, items.item(record)) for kind, record in records])
    unread, changed = set(), []
    for (kind, record), answer in zip(records, answers, strict=True):
        if "dump" in answer:
            changed += lost(answer["dump"], record.dump(), kind)
        for place, value in answer.get("errors", []):
            names = [str(part) for part in place if not str(part).isdigit()]
            unread.add(f"{'.'.join([kind, *names])}={value}")
    newer = NEWER_VALUES[release.name]
    assert not unread - newer, f"{release.name} can't read these; a new meaning wants a new field with a default"
    assert not newer - unread, f"{release.name} reads these: they need not be listed"
    assert not changed, f"{release.name} reads something else"


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_a_stored_deployment_is_read_and_kept(path: Path) -> None:
    stored = json.loads(path.read_text())
    deployment = Deployment.model_validate(stored)
    assert deployment.plan is not None
    assert deployment.steps
    written = leaves(json.loads(json.dumps(deployment.dump())))
    lost = {key: value for key, value in leaves(stored).items() if written.get(key) != value}
    assert not lost, "today's models drop or change what a running deployment stored"


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_a_newer_writers_fields_are_ignored(path: Path) -> None:
    stored = json.loads(path.read_text())
    stored["fromTheFuture"] = stored["plan"]["fromTheFuture"] = True
    assert judge(Deployment.model_validate(stored), None).phase
