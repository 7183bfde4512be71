"""The scripts of the web app's CI, where what they need is missing or fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .images import PLATFORM

CI = PLATFORM / "ci"


def program(folder: Path, name: str, *lines: str) -> None:
    file = folder / name
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    file.chmod(0o755)


def run(path: Path, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """With a PATH of one folder."""
    command = [sys.executable, CI / script, *arguments]
    return subprocess.run(
        command, env={"PATH": str(path)} | env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "script", [("pnpm.py", "lint"), ("build_web.py",), ("audit_web.py",)], ids=lambda args: args[0]
)
@pytest.mark.parametrize(
    ("node", "said"),
    [
        (None, "node is not on the PATH"),
        ("v18.20.1", "is v18.20.1, which is too old"),
        ("v20.20.2", "corepack is not"),
    ],
)
def test_without_node(tmp_path: Path, script: tuple[str, ...], node: str | None, said: str) -> None:
    if node:
        program(tmp_path, "node", f"echo {node}")

    done = run(tmp_path, *script)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert "Get Node 20" in done.stderr or "npm install --global corepack" in done.stderr
    assert "python -m scr_web" in done.stderr


REFUSED = {"error": {"code": "ERR_PNPM_AUDIT_BAD_RESPONSE", "message": "The audit endpoint responded with 405"}}


def advisories(*severities: str) -> dict[str, Any]:
    entry = {"module_name": "next", "title": "Reads too far", "patched_versions": ">=99"}
    found = {str(number): entry | {"severity": severity} for number, severity in enumerate(severities)}
    return {"advisories": found, "metadata": {"totalDependencies": 337}}


@pytest.mark.parametrize(
    ("answer", "env", "status", "said"),
    [
        pytest.param(REFUSED, {}, 0, "NOT AUDITED, because the advisories cannot be read", id="no-endpoint"),
        pytest.param(REFUSED, {"GITHUB_ACTIONS": "true"}, 1, "NOT AUDITED", id="no-endpoint-on-github"),
        pytest.param(REFUSED, {"GITHUB_ACTIONS": "false"}, 0, "NOT AUDITED", id="no-endpoint-and-not-on-github"),
        pytest.param(advisories(), {}, 0, "337 packages, no findings", id="clean"),
        pytest.param(advisories("low"), {}, 0, "337 packages, no findings", id="low"),
        pytest.param(advisories("moderate", "high"), {}, 1, "2 known vulnerabilities", id="found"),
    ],
)
def test_audit(tmp_path: Path, answer: dict[str, Any], env: dict[str, str], status: int, said: str) -> None:
    program(tmp_path, "node", "echo v20.20.2")
    program(tmp_path, "corepack", "/bin/cat <<'EOF'", json.dumps(answer), "EOF", "exit 1")

    done = run(tmp_path, "audit_web.py", **env)

    assert done.returncode == status, done.stderr
    assert said in done.stdout + done.stderr
