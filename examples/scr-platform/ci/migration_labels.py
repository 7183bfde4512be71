"""Alembic's history as image labels, oldest first: `approve`, `diff` and `rollback` of Ferryman read them.

python ci/migration_labels.py [APP_FOLDER]        prints name=value, a line each

A revision whose file says `rollback_safe = False` is one that older code can't live with. Files are read, not run, and
nothing needs to be installed: what is built may be another tree than the one that this is in.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release import FOLDERS, PLATFORM, ReleaseError, main

LIST = "dev.ferryman.migrations"
UNSAFE = "dev.ferryman.migrations.not-rollback-safe"
NAMES = {"revision", "down_revision", "rollback_safe"}


@dataclass(frozen=True)
class Migration:
    file: str
    revision: str
    follows: str | None
    rollback_safe: bool


def labels(app: Path = PLATFORM / FOLDERS["api"]) -> dict[str, str]:
    """Raises ReleaseError when the files are no single line of migrations."""
    folder = app / "migrations" / "versions"
    if not folder.is_dir():
        raise ReleaseError(f"the folder {folder} does not exist; name the folder of an app with migrations.")
    found = in_order([read(file) for file in sorted(folder.glob("*.py"))])
    return {
        LIST: ",".join(item.revision for item in found),
        UNSAFE: ",".join(item.revision for item in found if not item.rollback_safe),
    }


def read(file: Path) -> Migration:
    try:
        body = ast.parse(file.read_text(encoding="utf-8")).body
        values = {name: value for statement in body for name, value in assigned(statement).items()}
    except (SyntaxError, ValueError) as error:
        raise ReleaseError(f"{file.name} cannot be read: {error}.") from None
    revision, follows = values.get("revision"), values.get("down_revision")
    if not isinstance(revision, str) or not isinstance(follows, str | None) or "down_revision" not in values:
        raise ReleaseError(f"{file.name}: revision must be a string, and down_revision a string or None.")
    safe = values.get("rollback_safe", True)
    if not isinstance(safe, bool):
        raise ReleaseError(f"{file.name}: rollback_safe must be True or False.")
    return Migration(file.name, revision, follows, safe)


def assigned(statement: ast.stmt) -> dict[str, Any]:
    """What a statement at the top says of the names that matter. Raises ValueError when it is no plain value."""
    targets: list[ast.expr]
    match statement:
        case ast.Assign(targets=targets, value=value):
            pass
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            targets = [target]
        case _:
            return {}
    names = NAMES & {target.id for target in targets if isinstance(target, ast.Name)}
    try:
        return {name: ast.literal_eval(value) for name in names}
    except ValueError:
        raise ValueError(f"{', '.join(sorted(names))} is not a plain value") from None


def in_order(migrations: list[Migration]) -> list[Migration]:
    """From the first one on, each the only one that follows the one before."""
    next_of: dict[str | None, Migration] = {}
    for item in migrations:
        if other := next_of.get(item.follows):
            after = f"after {item.follows}" if item.follows else "first"
            raise ReleaseError(f"{other.file} and {item.file} both come {after}; change the down_revision of one.")
        next_of[item.follows] = item
    ordered: list[Migration] = []
    before: str | None = None
    # Each is taken out, so that a circle has an end.
    while before in next_of:
        ordered.append(next_of.pop(before))
        before = ordered[-1].revision
    if next_of:
        lost = ", ".join(sorted(item.file for item in next_of.values()))
        raise ReleaseError(f"{lost}: the down_revision does not exist, or is part of a cycle.")
    return ordered


def show() -> None:
    for name, value in labels(*map(Path, sys.argv[1:2])).items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main(show)
