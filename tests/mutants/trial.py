"""Try a mutant: a copy of the tree has the defect; the simulation and the tests run on it in processes of their own.

The work tree is never changed. Each process begins as a fork of one that has loaded everything but the product.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutants.mutant import PACKAGE, ROOT, Mutant
from mutants.reach import FILE, Recorder, plugin

KEPT = ROOT / ".cache" / "mutants"
SUITES = ("tests/unit", "tests/pages", "tests/simulation")
"""Tests of Python code that are tried. Of the simulation's folder only the tests of its parts."""
NOT_IN_THE_SUITES = (
    "tests/simulation/test_promises.py", "tests/simulation/test_stories.py", "tests/pages/test_browser.py",
    "tests/pages/test_openapi.py",
)  # fmt: skip
"""The simulation itself, and what takes long."""
OF_OTHER_FILES = (
    "tests/contract/test_machine.py", "tests/contract/test_template.py", "tests/contract/test_roles.py",
    "tests/simulation/test_machines.py",
)  # fmt: skip
"""Tests of the machines and of the template."""
MEASURED = KEPT / "measured.json"
"""Which files of tests were measured, each with its digest."""
HISTORIES = KEPT / "histories.json"
"""What each history runs."""
_TOGETHER = 20
"""Files of tests that one process runs, when it is measured what they run."""
LONGEST = 120.0
"""Seconds that one process may take; a mutant that goes on for ever is noticed, too."""
_LOADED = ("pytest", "boto3", "botocore.stub", "moto", "pydantic", "httpx", "yaml", "greenlet", "jsonata")
KILLED, SURVIVED, NOT_REACHED, TOO_LONG = "killed", "survived", "not reached", "took too long"
NOT_ASKED = "not asked"
"""The simulation has noticed it already."""
NOTICED = (KILLED, TOO_LONG)


@dataclass(frozen=True)
class Reach:
    """What ran what, in the tree as it is."""

    tests: dict[str, tuple[frozenset[str], float]]
    histories: tuple[frozenset[str], ...]
    """What each of the simulation's histories runs."""

    def tests_of(self, mutant: Mutant, budget: float) -> list[str]:
        """Return the tests to run: those named after the module first, then those that run the fewest functions."""
        if not mutant.file.startswith(PACKAGE):
            return list(OF_OTHER_FILES)
        stem = Path(mutant.file).stem
        mirror = Path("tests/unit") / Path(mutant.file).parent.relative_to(PACKAGE)
        named = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / mirror).glob(f"test_{stem}*.py"))
        if named and not any(test.startswith(tuple(named)) for test in self.tests):
            return named  # Not measured.
        found = [(test, ran, took) for test, (ran, took) in self.tests.items() if _runs(mutant, ran)]
        found.sort(key=lambda item: (f"/test_{stem}" not in item[0], len(item[1]), item[0]))
        chosen, spent = [], 0.0
        for test, _, took in found:
            spent += took
            if spent > budget:
                break
            chosen.append(test)
        return chosen

    def histories_of(self, mutant: Mutant) -> list[int]:
        """Return which of the simulation's histories run the place: those that run the fewest functions first."""
        machine = mutant.file.startswith("statemachines/")
        found = [number for number, ran in enumerate(self.histories) if machine or _runs(mutant, ran)]
        return sorted(found, key=lambda number: (len(self.histories[number]), number))


def _runs(mutant: Mutant, ran: frozenset[str]) -> bool:
    place = f"{mutant.file}:{mutant.function}"
    return place in ran if mutant.function else any(name.startswith(f"{mutant.file}:") for name in ran)


class Tree:
    """A copy of everything that is committed or would be, for one process at a time."""

    def __init__(self, number: int) -> None:
        self.path = KEPT / f"tree-{number}"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        for name in wanted:
            target = self.path / name
            source = (ROOT / name).stat()
            if target.exists() and (target.stat().st_mtime_ns, target.stat().st_size) == (
                source.st_mtime_ns, source.st_size
            ):  # fmt: skip
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            generated = {".venv", "node_modules", ".cache", ".git", ".hypothesis"} & set(name.split("/")[:1])
            if path.is_file() and not generated and "__pycache__" not in name and name not in wanted:
                path.unlink()
        for name in (".venv", "node_modules"):
            if not (self.path / name).exists():
                (self.path / name).symlink_to((ROOT / name).resolve())

    @contextlib.contextmanager
    def with_(self, mutant: Mutant) -> Any:
        """Have the defect in the tree for a while."""
        path = self.path / mutant.file
        compiled = path.parent / "__pycache__"
        source, times = path.read_bytes(), path.stat()
        for old in compiled.glob(f"{path.stem}.*.pyc"):
            old.unlink()
        path.write_bytes(mutant.applied(source))
        try:
            yield
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def run(
        self, work: Callable[[], int], log: Path, longest: float = LONGEST, *, compiles: bool = False
    ) -> int | None:
        """Run in a fork, in this tree; return its exit code, or None when it took too long."""
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = self._inside(work, log, compiles)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        until = time.monotonic() + longest
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None

    def _inside(self, work: Callable[[], int], log: Path, compiles: bool) -> int:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(self.path)
        places = [str(self.path / name) for name in ("layers/core", "cli", "local")]
        os.environ["PYTHONPATH"] = os.pathsep.join(places)
        # Whatever else is on the path may have the product as well, but not before these.
        sys.path[:] = [*places, str(self.path / "tests"), *(item for item in sys.path if item != str(ROOT / "tests"))]
        for name in [name for name in sys.modules if name.split(".")[0] in ("mutants", "simulation", "ferryman")]:
            del sys.modules[name]
        sys.dont_write_bytecode = not compiles
        return work()


def loaded() -> None:
    """Load what every fork needs: nothing of the product, and no plugin of pytest (which would rewrite it)."""
    import importlib

    for name in _LOADED:
        importlib.import_module(name)


def run_tests(chosen: Sequence[str], *more: str) -> int:
    """Run tests in this process; their exit code."""
    import pytest

    extra = plugin()
    arguments = ["-q", "-x", "-n", "0", "--no-header", "--hypothesis-seed=0", "--durations=0", "--tb=line", *more]
    return int(pytest.main([*arguments, *chosen], plugins=[extra] if extra else []))


def run_histories(numbers: Iterable[int]) -> int:
    """Play histories until a promise is broken: 1; or an error shows: 1; or all went well: 0."""
    import logging

    from simulation.choices import Choices
    from simulation.history import play

    logging.getLogger("ferryman").setLevel(logging.CRITICAL + 1)
    recorder = Recorder(Path.cwd()) if os.environ.get(FILE) else None
    ran = []
    for number in numbers:
        told = play(Choices(f"mutants/{number}"))
        if told.broken:
            print(f"history {number}: {told.broken[0]}")
            return 1
        if recorder is not None:
            ran.append(recorder.taken())
    if recorder is not None:
        Path(os.environ[FILE]).write_text(json.dumps(ran), encoding="utf-8")
    return 0


def measured(tree: Tree, histories: int) -> None:
    """Run everything as it is: the histories, and the tests of each file that has changed since the last time.

    Raise AssertionError when that does not pass.
    """
    said, tests, simulation = KEPT / "as-it-is.log", KEPT / "tests.jsonl", HISTORIES
    said.unlink(missing_ok=True)
    known = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    files = {name: digest for name, digest in _test_files().items() if known.get(name) != digest}
    lines = tests.read_text(encoding="utf-8").splitlines() if tests.exists() else []
    kept = [line for line in lines if json.loads(line)["test"].split("::")[0] in set(known) - set(files)]
    tests.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    try:
        os.environ[FILE] = str(simulation)
        code = tree.run(lambda: run_histories(range(histories)), said, 3600, compiles=True)
        assert code == 0, f"the simulation breaks a promise without any defect: {said}"
        os.environ[FILE] = str(tests)
        for first in range(0, len(files), _TOGETHER):
            some = sorted(files)[first : first + _TOGETHER]
            code = tree.run(lambda: run_tests(some), said, 3600, compiles=True)  # noqa: B023 - called at once
            assert code == 0, f"the tests fail without any defect: {said}"
            known |= {name: files[name] for name in some}
            MEASURED.write_text(json.dumps(known), encoding="utf-8")
    finally:
        del os.environ[FILE]


def _test_files() -> dict[str, str]:
    """Return the files of tests, each with a digest."""
    paths = (path for suite in SUITES for path in (ROOT / suite).rglob("test_*.py"))
    found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted(paths)}
    return {
        name: hashlib.sha256(text).hexdigest()[:16] for name, text in found.items() if name not in NOT_IN_THE_SUITES
    }


def read_reach() -> Reach:
    """Return what was measured last."""
    lines = [json.loads(line) for line in (KEPT / "tests.jsonl").read_text(encoding="utf-8").splitlines()]
    tests = {line["test"]: (frozenset(line["ran"]), line["seconds"]) for line in lines}
    histories = json.loads(HISTORIES.read_text(encoding="utf-8"))
    return Reach(tests, tuple(frozenset(ran) for ran in histories))


def tried(mutant: Mutant, tree: Tree, reach: Reach, budget: float, *, both: bool) -> dict[str, Any]:
    """Return what the simulation says of a mutant, and if it notices nothing, or for `both`, what the tests say."""
    log = KEPT / "logs" / f"{tree.path.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    began = time.monotonic()
    simulated, tested = NOT_REACHED, NOT_REACHED
    histories, chosen = reach.histories_of(mutant), reach.tests_of(mutant, budget)
    with tree.with_(mutant):
        if histories:
            simulated = _verdict(tree.run(lambda: run_histories(histories), log))
        if simulated in NOTICED and not both:
            tested = NOT_ASKED
        elif chosen:
            tested = _verdict(tree.run(lambda: run_tests(chosen), log))
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    by = [line for line in lines if line.startswith(("FAILED", "ERROR", "history"))][:2]
    return {
        "id": mutant.id, "kind": mutant.kind, "what": mutant.what, "simulation": simulated, "suite": tested,
        "tests": len(chosen), "by": by, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _verdict(code: int | None) -> str:
    return TOO_LONG if code is None else SURVIVED if code == 0 else KILLED
