"""`make locks`: what is wrong with a lock is found, here and in the example."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract.machine import ROOT

EXAMPLE = "examples/scr-platform"
FILES = (
    "scripts/check-locks",
    "package-lock.json",
    *(f"requirements/{name}" for name in ("dev.in", "dev.txt", "checkov.in", "checkov.txt")),
    *(f"layers/dependencies/requirements.{kind}" for kind in ("in", "txt")),
    *(f"tests/terraform/offline/requirements.{kind}" for kind in ("in", "txt")),
    *(
        f"{EXAMPLE}/{app}/requirements.{kind}"
        for app in ("ci", "apps/api", "services/ai-gateway")
        for kind in ("in", "txt")
    ),
    *(f"{EXAMPLE}/apps/web/{name}" for name in ("requirements.txt", "package.json", "pnpm-lock.yaml")),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the locks and of what checks them."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def check(checkout: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, checkout / "scripts/check-locks"], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_the_locks_are_clean(checkout: Path) -> None:
    assert check(checkout) == (0, "")


@pytest.mark.parametrize(
    ("name", "pattern", "put", "told"),
    [
        ("package-lock.json", r'"integrity": "[^"]*",', "", "package-lock.json: node_modules/.* has no integrity"),
        (
            "package-lock.json",
            r'("integrity":)',
            r'"resolved": "https://npm.example/a.tgz", \1',
            "package-lock.json: node_modules/.* has a download address",
        ),
        (
            f"{EXAMPLE}/apps/web/pnpm-lock.yaml",
            r"integrity: [^}]*",
            "directory: a",
            "pnpm-lock.yaml: .* has no integrity",
        ),
        (
            f"{EXAMPLE}/apps/web/pnpm-lock.yaml",
            r"(integrity: [^}]*)",
            r"\1, tarball: https://npm.example/a.tgz",
            "pnpm-lock.yaml: .* has a download address",
        ),
        (f"{EXAMPLE}/apps/web/package.json", r"\+sha512[^\"]*", "", "packageManager does not pin pnpm with its hash"),
        (
            f"{EXAMPLE}/apps/api/requirements.txt",
            r"alembic==[0-9.]+",
            "alembic==1.16.0",
            "has alembic 1.16.0, but the tests run",
        ),
        (f"{EXAMPLE}/apps/api/requirements.in", r"\Z", "nobody>=1\n", "requirements.txt lacks nobody>=1"),
        (
            f"{EXAMPLE}/ci/requirements.txt",
            r" \\\n    --hash=sha256:\w+",
            "",
            "ci/requirements.txt: .* has no sha256 hash",
        ),
        ("tests/terraform/offline/requirements.in", r"\Z", "nobody>=1\n", "offline/requirements.txt lacks nobody>=1"),
        (
            "requirements/dev.txt",
            r"\A",
            "--extra-index-url https://pypi.example\n",
            "options and addresses are not allowed",
        ),
        (
            "layers/dependencies/requirements.txt",
            r"pydantic==[0-9.]+",
            "pydantic==2.0.0",
            "has pydantic 2.0.0, but the tests run",
        ),
    ],
)
def test_what_is_wrong_is_found(checkout: Path, name: str, pattern: str, put: str, told: str) -> None:
    text = (checkout / name).read_text()
    changed = re.sub(pattern, put, text, count=0 if "hash" in pattern else 1)
    assert changed != text
    (checkout / name).write_text(changed)

    status, said = check(checkout)

    assert status == 1
    assert re.search(told, said), said
