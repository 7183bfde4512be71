"""`make permissions`: take each permission of the operator's roles away, one after the other, and see what fails.

record [PYTEST…]   run flow tests (all, or those named) as they are, and write docs/reference/permissions.md
remove [TEXT…]     remove each permission really (those whose name has one of the texts), and run the test of its line

FERRYMAN_PERMISSION_PROCESSES (4): processes of `remove`, each with a local AWS of its own. They mostly wait.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contract.machine import ROOT
from permissions import table
from permissions.model import Permission, of_template, used

Needed = tuple[Permission, str]
"""A permission, and the flow test that needs it."""
FLOW = "tests/flow"
LAST = "test_failing_lambdas.py::test_these_are_all_steps_of_the_machine"
"""A quick test that needs no permission: see `permissions.remove.pytest_runtest_protocol`."""


def main(command: str, arguments: list[str]) -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "permissions.jsonl"
        if command == "record":
            file.touch()
            status = _pytest("permissions.record", file, arguments or [FLOW])
            write(file.read_text(encoding="utf-8").splitlines())
            return status
        rows = [row for row in table.read() if not arguments or any(it in str(row.permission) for it in arguments)]
        chosen = [(row.permission, row.test) for row in rows if row.test]
        shares = shared(chosen, int(os.environ.get("FERRYMAN_PERMISSION_PROCESSES", "4")))
        print(f"{len(chosen)} permissions are removed, one after the other in {len(shares)} processes", flush=True)
        with ThreadPoolExecutor(len(shares) or 1) as threads:
            files = [Path(folder) / f"{number}.jsonl" for number in range(len(shares))]
            return max(threads.map(_remove, files, shares), default=0)


def shared(chosen: Sequence[Needed], processes: int) -> list[list[Needed]]:
    """Divide permissions among processes: about as many for each, and those of one test in few of them.

    A process runs each of its tests once more, as it is, before it takes anything away.
    """
    by_test: dict[str, list[Needed]] = {}
    for one in chosen:
        by_test.setdefault(one[1], []).append(one)
    most = -(-len(chosen) // processes)
    chunks = [found[at : at + most] for found in by_test.values() for at in range(0, len(found), most)]
    shares: list[list[Needed]] = [[] for _ in range(processes)]
    for chunk in sorted(chunks, key=len, reverse=True):
        min(shares, key=len).extend(chunk)
    return [share for share in shares if share]


def _remove(file: Path, share: Sequence[Needed]) -> int:
    lines = [[[one.holder, one.sid, one.action, one.part], test] for one, test in share]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    tests = dict.fromkeys(f"{FLOW}/{test}" for _, test in share)
    return _pytest("permissions.remove", file, ["-q", "-s", *tests, f"{FLOW}/{LAST}"])


def write(lines: list[str]) -> None:
    """Write the page from lines of `permissions.record`: of each permission, the first test that used it."""
    first: dict[Permission, str] = {}
    for line in lines:
        record = json.loads(line)
        for permission in used(record["uses"]):
            first.setdefault(permission, record["test"])
    page = table.PAGE.read_text(encoding="utf-8")
    table.PAGE.write_text(table.rewritten(page, first, of_template()), encoding="utf-8")


def _pytest(plugin: str, file: Path, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", plugin, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"FERRYMAN_PERMISSIONS": str(file)}, check=False
    ).returncode


if __name__ == "__main__":
    if sys.argv[1:2] not in (["record"], ["remove"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
