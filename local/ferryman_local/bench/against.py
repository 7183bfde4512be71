"""Cold imports of this work tree's build and of another commit's, interleaved in one run, with their source lines."""

import io
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ferryman_local.bench.imports import Import, measured_imports
from ferryman_local.bench.loaded import handlers, loaded
from ferryman_local.provisioning.operator_stack import build_operator


class NoSuchCommit(Exception):
    """The repository has no such commit, or there is no repository."""


@dataclass(frozen=True)
class Row:
    """One handler in both builds; None where a build lacks it."""

    handler: str
    ours: float | None
    theirs: float | None

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None where one is missing or nothing."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else None


def commit_of(repository: Path, name: str) -> str:
    """Return the full hash of a commit, branch or tag. Raises NoSuchCommit."""
    try:
        done = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except FileNotFoundError:
        raise NoSuchCommit("git is not installed, so there is no other commit to compare with") from None
    if done.returncode:
        raise NoSuchCommit(f"{name!r} is not a commit of the repository in {repository}")
    return done.stdout.decode().strip()


def check_out(repository: Path, commit: str, folder: Path) -> Path:
    """Write the commit's files into a new folder and return it. The repository stays as it is."""
    folder.mkdir(parents=True)
    done = _git(repository, "archive", "--format=tar", commit)
    done.check_returncode()
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def rows(ours: Mapping[str, float], theirs: Mapping[str, float]) -> list[Row]:
    """Return the handlers of both by name, also those that only one of them has."""
    return [Row(name, ours.get(name), theirs.get(name)) for name in sorted(ours.keys() | theirs.keys())]


def lines_against(here: Path, there: Path) -> list[Row]:
    """Return the source lines that each handler loads in two trees."""
    return rows(*({name: found.lines for name, found in loaded(tree).items()} for tree in (here, there)))


def imports_against(here: Path, there: Path, rounds: int, report: Callable[[str], None]) -> tuple[list[Row], list[Row]]:
    """Build two trees; return for each handler its median cold import and its least processor time, in milliseconds."""
    layers: dict[Path, Sequence[Path]] = {}
    for tree in (here, there):
        report(f"building {tree}")
        layers[tree] = sorted(build_operator(tree, report=report).glob("*/python"))
    found: dict[Path, dict[str, Import]] = {here: {}, there: {}}
    names = sorted({*handlers(here), *handlers(there)})
    report(f"cold imports: {len(names)} handlers, {rounds} processes each, from both builds")
    for name in names:
        paths = {tree: [tree / "functions" / name, *layers[tree]] for tree in found if name in handlers(tree)}
        for tree, measured in measured_imports(paths, "app", rounds).items():
            found[tree][name] = measured
    ours, theirs = found[here], found[there]
    elapsed = rows(*({name: one.elapsed for name, one in by_name.items()} for by_name in (ours, theirs)))
    processor = rows(*({name: one.processor for name, one in by_name.items()} for by_name in (ours, theirs)))
    return elapsed, processor


def as_json(found: Sequence[Row]) -> dict[str, Any]:
    """Return the rows as they stand in the benchmark's JSON."""
    return {row.handler: {"ours": row.ours, "theirs": row.theirs, "ratio": row.ratio} for row in found}


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=False)
