"""The offline stand-in itself: a realistic platform passes, a faulty configuration fails as with the real one."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent / "offline/samples"
FAULTS = sorted((SAMPLES / "faults").glob("*.tf"))
VARIABLES = ("name=shop", "domain=shop.example.com", 'services={api={port=8080,path="/api",priority=10}}')


@pytest.fixture(autouse=True)
def _no_way_out(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, and no network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("TF_CLI_ARGS", "-no-color")


def passes(tool: Any, folder: Path, *arguments: str) -> str:
    """Run a command that must succeed; its output."""
    done = tool.run(folder, *arguments)
    assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def fails(tool: Any, folder: Path, told: str, *arguments: str) -> None:
    """Run a command that must fail with a text; Terraform breaks lines and draws a border."""
    done = tool.run(folder, *arguments)
    plain = re.sub(r"[\s│]+", " ", done.stdout + done.stderr)
    assert (done.returncode != 0, told in plain) == (True, True), f"{' '.join(arguments)}: {told}\n{plain}"


def listing(folder: Path) -> dict[str, str]:
    """Every file and what is in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """A realistic sample, in a repository that has a lock file and a state of its own."""
    folder = shutil.copytree(SAMPLES / "platform", tmp_path / "platform")
    (folder / ".terraform.lock.hcl").write_text("# a lock file of the real provider\n")
    (folder / "terraform.tfstate").write_text("not to be touched\n")
    return folder


def change(file: Path, pattern: str, put: str) -> None:
    """Change a file of the sample in one place or more."""
    text = file.read_text()
    changed = re.sub(pattern, put, text, flags=re.MULTILINE)
    assert changed != text, pattern
    file.write_text(changed)


def test_a_platform_is_validated_planned_and_tested_and_left_as_it_was(stand_in: Any, platform: Path) -> None:
    before = listing(platform)
    plan = ("plan", "-refresh=false", *(f"-var={variable}" for variable in VARIABLES))

    passes(stand_in, platform, "init", "-backend=false")
    passes(stand_in, platform, "validate")
    passes(stand_in, platform, *plan)
    passes(stand_in, platform, *plan, "-out=p.plan")
    assert json.loads(passes(stand_in, platform, "show", "-json", "p.plan"))["errored"] is False
    passes(stand_in, platform, "test")

    assert listing(platform) == before


def test_what_a_platform_lacks_is_told(stand_in: Any, platform: Path) -> None:
    passes(stand_in, platform, "init", "-backend=false")
    fails(stand_in, platform, "No value for required variable", "plan", "-refresh=false")

    change(platform / "compute.tf", r"  priority  *= each.value.priority", "")
    fails(stand_in, platform, 'The argument "priority" is required', "validate")


def test_an_assertion_of_a_platforms_own_tests_fails(stand_in: Any, platform: Path) -> None:
    passes(stand_in, platform, "init", "-backend=false")
    change(platform / "edge.tf", r'TLS13-1-2-2021-06"$', '2016-08"')
    fails(stand_in, platform, "TLS 1.2 or newer only", "test")


BUCKET = """\
variable "name" { type = string }
resource "aws_s3_bucket" "main" { bucket = var.name }
output "arn" { value = aws_s3_bucket.main.arn }
"""
PROD = """\
module "bucket" {
  source = "../../modules/bucket"
  name   = "example-${trimspace(file("${path.module}/../name.txt"))}"
}
import {
  to = aws_ecs_cluster.old
  id = "old"
}
resource "aws_ecs_cluster" "old" { name = "old" }
ephemeral "aws_secretsmanager_secret_version" "db" { secret_id = "db" }
output "arn" { value = module.bucket.arn }
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An environment and, beside it, a module and a file that it reads."""
    files = {"modules/bucket/main.tf": BUCKET, "envs/prod/main.tf": PROD, "envs/name.txt": "assets\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_is_applied_is_imported_kept_and_destroyed_and_nothing_is_created(stand_in: Any, repository: Path) -> None:
    prod = repository / "envs/prod"
    passes(stand_in, prod, "init")
    passes(stand_in, prod, "apply", "-auto-approve")
    assert passes(stand_in, prod, "output", "-raw", "arn") == "arn:aws:s3:::example-assets"
    passes(stand_in, prod, "plan", "-detailed-exitcode")  # the second plan is empty
    passes(stand_in, prod, "destroy", "-auto-approve")


def test_it_runs_in_the_current_directory(stand_in: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "modules/bucket")
    passes(stand_in, Path(), "init")
    passes(stand_in, Path(), "validate")


@pytest.mark.parametrize("file", FAULTS, ids=[file.stem for file in FAULTS])
def test_a_fault_is_told(stand_in: Any, tmp_path: Path, file: Path) -> None:
    text = file.read_text()
    (expected,) = re.findall(r"^# expect: (.*)", text, re.MULTILINE)
    command = "".join(re.findall(r"^# command: (.*)", text, re.MULTILINE)) or "validate"
    (tmp_path / "main.tf").write_text(text)
    if command != "init":
        passes(stand_in, tmp_path, "init")
    fails(stand_in, tmp_path, expected, command)


def test_the_samples_are_formatted(stand_in: Any) -> None:
    passes(stand_in, SAMPLES, "fmt", "-check", "-recursive")


def test_it_says_so_when_there_is_no_directory_and_no_terraform(
    stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(stand_in, tmp_path / "none", f"terraform-offline: no such directory: {tmp_path}/none", "validate")
    monkeypatch.setenv("TF_OFFLINE_TERRAFORM", "no-such-terraform")
    fails(stand_in, tmp_path, "terraform-offline: there is no no-such-terraform", "validate")
