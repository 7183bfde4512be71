"""The workflows: pinned, least privileged, thin over make targets, and what they push is what Ferryman reads."""

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from contract.machine import ROOT
from ferryman.platform.values import SEMVER

EXAMPLE = ROOT / "examples" / "scr-platform"
CI = EXAMPLE / "ci"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml")) + sorted((EXAMPLE / ".github/workflows").glob("*.yml"))
PLATFORM: dict[str, Any] = yaml.safe_load((EXAMPLE / "platform.yaml").read_text())["spec"]
ROLES = (ROOT / "terraform/modules/github-oidc/main.tf").read_text()

# The guide's jobs, and what each waits for.
GUIDE = {
    "api-lint": [],
    "api-test": ["api-lint"],
    "api-security": [],
    "gateway-lint": [],
    "web-lint": [],
    "web-build": ["web-lint"],
    "web-security": [],
}

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.relative_to(ROOT)))


def load(path: Path) -> dict[str, Any]:
    # BaseLoader: `on` stays a word, and a version a string.
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return load(path)["jobs"]


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def make_targets(makefile: Path) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(), re.MULTILINE))


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One of the example's scripts, which find each other beside themselves."""
    monkeypatch.syspath_prepend(str(CI))
    spec = importlib.util.spec_from_file_location(f"scr_ci_{name}", CI / f"{name}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


# --- every workflow ---------------------------------------------------------------------------------------------


def test_there_are_the_workflows_that_we_know() -> None:
    assert [str(path.relative_to(ROOT)) for path in WORKFLOWS] == [
        ".github/workflows/ci.yml",
        "examples/scr-platform/.github/workflows/ci.yml",
        "examples/scr-platform/.github/workflows/images.yml",
    ]


@every_workflow
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    lines = [line.strip() for line in path.read_text().splitlines() if re.search(r"\buses:", line)]
    assert lines
    for line in lines:
        assert re.fullmatch(r"- uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_version_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: ([a-z/-]+)@(.*)", path.read_text()):
            pins.setdefault(name, set()).add(pin)
    assert {name: len(found) for name, found in pins.items()} == dict.fromkeys(pins, 1)


@every_workflow
def test_nothing_is_permitted_but_by_the_job_that_needs_it(path: Path) -> None:
    assert load(path)["permissions"] == {}
    for name, job in jobs(path).items():
        logs_in = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        assert job["permissions"] == {"contents": "read"} | ({"id-token": "write"} if logs_in else {}), name


@every_workflow
def test_jobs_are_bounded_and_leave_no_token_behind(path: Path) -> None:
    assert load(path)["concurrency"]["group"]
    for name, job in jobs(path).items():
        assert 0 < int(job["timeout-minutes"]) <= 60, name
        assert job["runs-on"] == "ubuntu-24.04"
    checkouts = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]
    assert len(checkouts) == len(jobs(path))
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


@every_workflow
def test_there_is_no_secret_and_no_key(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\bsecrets\b|access[-_]key|AKIA|github_token|password:", text, re.IGNORECASE)
    assert "pull_request_target" not in text
    assert "workflow_run" not in text


@every_workflow
def test_what_runs_is_a_make_target_or_a_script_of_the_repository(path: Path) -> None:
    repository = path.parents[2]
    targets = make_targets(repository / "Makefile")
    commands = [step["run"] for step in steps(path) if "run" in step]
    assert commands
    for command in commands:
        if command.startswith("make "):
            assert command.removeprefix("make ") in targets
        else:
            assert os.access(repository / command, os.X_OK), command


@every_workflow
def test_caches_are_keyed_by_locks_that_exist(path: Path) -> None:
    for step in steps(path):
        given = step.get("with", {})
        if "cache" in given:
            for pattern in given["cache-dependency-path"].split():
                assert list(path.parents[2].glob(pattern)), pattern
    if path.name == "images.yml":
        assert not any("cache" in step.get("with", {}) for step in steps(path)), "what is released comes from no cache"


def test_our_own_ci_is_what_a_developer_runs() -> None:
    (job,) = jobs(ROOT / ".github/workflows/ci.yml").values()

    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    tools = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
    assert {"actions/setup-python", "actions/setup-node", "hashicorp/setup-terraform"} < tools
    assert job["steps"][-1]["env"] == {"TERRAFORM_PROVIDER": "real"}, "only there is Terraform's registry reached"


# --- the example's CI -------------------------------------------------------------------------------------------


def test_the_example_has_the_jobs_of_the_guide() -> None:
    found = jobs(EXAMPLE / ".github/workflows/ci.yml")

    assert {name: job.get("needs", []) for name, job in found.items() if name != "ci-passed"} == GUIDE
    for name in GUIDE:
        assert [step["run"] for step in found[name]["steps"] if "run" in step] == [f"make {name}"]
        assert "if" not in found[name]


def test_ci_passed_judges_all_of_them() -> None:
    found = jobs(EXAMPLE / ".github/workflows/ci.yml")

    assert sorted(found["ci-passed"]["needs"]) == sorted(set(found) - {"ci-passed"})
    assert found["ci-passed"]["if"] == "${{ always() }}"
    assert found["ci-passed"]["env"] == {"NEEDS": "${{ toJSON(needs) }}"}


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (["success", "success"], 0),
        (["success", "failure"], 1),
        (["cancelled", "success"], 1),
        (["success", "skipped"], 1),
        ([], 1),
    ],
)
def test_ci_passed_fails_unless_all_succeeded(results: list[str], code: int) -> None:
    needs = {f"job-{number}": {"result": result, "outputs": {}} for number, result in enumerate(results)}

    done = subprocess.run([sys.executable, CI / "passed.py"], env={"NEEDS": json.dumps(needs)}, capture_output=True)

    assert done.returncode == code


def test_the_api_is_tested_on_the_guides_databases() -> None:
    job = jobs(EXAMPLE / ".github/workflows/ci.yml")["api-test"]

    assert {name: service["image"] for name, service in job["services"].items()} == {
        "postgres": "postgres:16",
        "redis": "redis:7",
    }
    assert all("--health-cmd" in service["options"] for service in job["services"].values())
    assert set(job["env"]) == {"DATABASE_URL", "REDIS_URL"}


def test_everything_that_ci_installs_is_locked_with_hashes() -> None:
    lock = (CI / "requirements.txt").read_text()

    assert not re.search(r"--(extra-)?index-url|--find-links|https?://", lock)
    for entry in lock.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            assert re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+( ; .*?)?\s+--hash=sha256:", entry), entry


# --- images -----------------------------------------------------------------------------------------------------


def test_components_are_those_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    release = module("release", monkeypatch)
    matrix = jobs(EXAMPLE / ".github/workflows/images.yml")["build"]["strategy"]["matrix"]["component"]

    repositories = {name: component["repository"] for name, component in PLATFORM["components"].items()}
    assert {name: release.repository(name) for name in release.FOLDERS} == repositories
    assert sorted(matrix) == sorted(repositories)
    assert all((EXAMPLE / folder).is_dir() for folder in release.FOLDERS.values())


def test_versions_are_those_that_ferryman_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    release = module("release", monkeypatch)

    assert re.fullmatch(PLATFORM["tagPattern"], release.version())
    assert release.commit().startswith(release.version())
    assert (release.SEMVER.pattern, release.SEMVER.flags) == (SEMVER.pattern, SEMVER.flags)
    assert load(EXAMPLE / ".github/workflows/images.yml")["on"] == {
        "push": {"branches": ["main"], "tags": ["v*.*.*"]},
    }


def test_each_ref_gets_the_role_that_is_for_it() -> None:
    found = jobs(EXAMPLE / ".github/workflows/images.yml")

    def role(job: str) -> str:
        (step,) = [step for step in found[job]["steps"] if "configure-aws-credentials" in step.get("uses", "")]
        return step["with"]["role-to-assume"]

    assert (found["build"]["if"], role("build")) == ("${{ github.ref_type == 'branch' }}", "${{ vars.AWS_PUSH_ROLE }}")
    assert (found["tag"]["if"], role("tag")) == ("${{ github.ref_type == 'tag' }}", "${{ vars.AWS_TAG_ROLE }}")
    assert 'refs/tags/v*"' in ROLES
    assert load(EXAMPLE / ".github/workflows/images.yml")["concurrency"]["cancel-in-progress"] == "false"


def test_an_image_is_built_before_there_are_credentials() -> None:
    order = [step.get("run") or step["uses"].partition("@")[0] for step in build_steps()]

    assert order[-3:] == ["make build-image", "aws-actions/configure-aws-credentials", "make push-image"]


def build_steps() -> list[dict[str, Any]]:
    return jobs(EXAMPLE / ".github/workflows/images.yml")["build"]["steps"]


def test_labels_are_alembics_history(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = module("migration_labels", monkeypatch).labels()
    image = yaml.safe_load((EXAMPLE / "apps/api/image.yaml").read_text())["labels"]

    assert {name: value for name, value in labels.items() if value} == image
    files = sorted((EXAMPLE / "apps/api/migrations/versions").glob("[0-9]*.py"))
    assert labels["dev.ferryman.migrations"].split(",") == [path.name.partition("_")[0] for path in files]


MANIFEST = '{\n   "schemaVersion": 2\n}\n'
FAKE = r"""#!PYTHON
import hashlib, json, os, sys
from pathlib import Path

home = Path(os.environ["FAKE_HOME"])
state = json.loads((home / "ecr.json").read_text())
words = sys.argv[1:]
stdin = sys.stdin.read() if "--password-stdin" in words else ""
with (home / "calls").open("a") as calls:
    calls.write(json.dumps([Path(sys.argv[0]).name, *words, stdin]) + "\n")
if Path(sys.argv[0]).name == "docker":
    if words[0] == "push":
        name, tag = words[-1].partition("/")[2].split(":")
        state[name][tag] = "pushed " + tag
        (home / "ecr.json").write_text(json.dumps(state))
    sys.exit()

def option(name):
    return words[words.index("--" + name) + 1]

def image(tag, manifest):
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    return {"imageId": {"imageDigest": digest, "imageTag": tag}, "imageManifest": manifest,
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json"}

if words[1] == "batch-get-image":
    tag = option("image-ids").removeprefix("imageTag=")
    manifest = state[option("repository-name")].get(tag)
    answer = {"images": [image(tag, manifest)] if manifest else [], "failures": [] if manifest else
              [{"imageId": {"imageTag": tag}, "failureCode": "ImageNotFound", "failureReason": "not found"}]}
elif words[1] == "put-image":
    manifest = Path(option("image-manifest").removeprefix("file://")).read_text()
    answer = {"image": image(option("image-tag"), manifest)}
    if answer["image"]["imageId"]["imageDigest"] != option("image-digest"):
        sys.exit("ImageDigestDoesNotMatchException")
    state[option("repository-name")][option("image-tag")] = manifest
    (home / "ecr.json").write_text(json.dumps(state))
else:
    answer = {"authorizationData": [{"authorizationToken": os.environ["FAKE_TOKEN"],
              "proxyEndpoint": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"}]}
print(json.dumps(answer))
"""


@dataclass
class Fake:
    """`aws` and `docker` on the PATH: three repositories, and a list of the calls."""

    home: Path
    version: str

    @property
    def repositories(self) -> dict[str, dict[str, str]]:
        return json.loads((self.home / "ecr.json").read_text())

    @repositories.setter
    def repositories(self, value: dict[str, dict[str, str]]) -> None:
        (self.home / "ecr.json").write_text(json.dumps(value))

    def calls(self, program: str) -> list[list[str]]:
        lines = (self.home / "calls").read_text().splitlines()
        return [call[1:] for call in map(json.loads, lines) if call[0] == program]

    def make(self, target: str, **environ: str) -> subprocess.CompletedProcess[str]:
        token = base64.b64encode(b"AWS:hidden").decode()
        env = {"PATH": f"{self.home}:{os.environ['PATH']}", "FAKE_HOME": str(self.home), "FAKE_TOKEN": token}
        script = CI / f"{target.replace('-', '_')}.py"
        return subprocess.run([sys.executable, script], env=env | environ, capture_output=True, text=True, timeout=60)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    for program in ("aws", "docker"):
        (tmp_path / program).write_text(FAKE.replace("PYTHON", sys.executable, 1))
        (tmp_path / program).chmod(0o755)
    (tmp_path / "calls").touch()
    made = Fake(tmp_path, module("release", monkeypatch).version())
    made.repositories = {component["repository"]: {} for component in PLATFORM["components"].values()}
    return made


def test_the_makefile_runs_these_scripts() -> None:
    text = (EXAMPLE / "Makefile").read_text()

    for target in ("build-image", "push-image", "tag-images"):
        assert re.search(rf"^{target}:.*\n\t@\S+ ci/{target.replace('-', '_')}\.py$", text, re.MULTILINE)


def test_an_image_is_built_with_its_version_and_its_migrations(fake: Fake) -> None:
    done = fake.make("build-image", COMPONENT="api")

    assert done.returncode == 0, done.stderr
    (build,) = fake.calls("docker")
    assert build[0] == "build"
    assert f"APP_VERSION={fake.version}" in build
    assert f"scr-api:{fake.version}" in build
    assert any(word.startswith("dev.ferryman.migrations=0001,") for word in build)
    assert fake.calls("aws") == []


def test_an_image_is_pushed_once(fake: Fake) -> None:
    first = fake.make("push-image", COMPONENT="api")
    second = fake.make("push-image", COMPONENT="api")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "nothing to do" in second.stdout
    name = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/scr-api:{fake.version}"
    assert [call[-2] for call in fake.calls("docker") if call[0] == "push"] == [name]
    assert fake.calls("docker")[0][-1] == "hidden"  # by standard input, seen by no `ps`
    assert not any("hidden" in word for call in fake.calls("docker") for word in call[:-1])
    assert fake.calls("docker")[-1][0] == "logout"


@pytest.mark.parametrize("component", ["", "scr-api", "../api"])
def test_an_unknown_component_is_refused(fake: Fake, component: str) -> None:
    for target in ("build-image", "push-image"):
        done = fake.make(target, COMPONENT=component)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "COMPONENT=ai-gateway" in done.stderr


def test_a_version_names_what_is_there_byte_for_byte(fake: Fake) -> None:
    fake.repositories = {name: {fake.version: MANIFEST + name} for name in fake.repositories}

    done = [fake.make("tag-images", GITHUB_REF_NAME="v1.2.3") for _ in range(2)]

    assert [one.returncode for one in done] == [0, 0], done
    assert all(
        tags == {fake.version: MANIFEST + name, "v1.2.3": MANIFEST + name} for name, tags in fake.repositories.items()
    )
    assert len([call for call in fake.calls("aws") if call[1] == "put-image"]) == 3, "the second run has nothing to do"
    assert fake.calls("docker") == []


def test_a_version_needs_all_images(fake: Fake) -> None:
    fake.repositories = fake.repositories | {"scr-api": {fake.version: MANIFEST}}
    before = fake.repositories

    done = fake.make("tag-images", GITHUB_REF_NAME="v1.2.3")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"scr-ai-gateway:{fake.version}, scr-web:{fake.version} not in ECR" in done.stderr
    assert fake.repositories == before


def test_a_version_does_not_move(fake: Fake) -> None:
    fake.repositories = {name: {fake.version: MANIFEST} for name in fake.repositories} | {
        "scr-web": {fake.version: MANIFEST, "v1.2.3": "another"}
    }
    before = fake.repositories

    done = fake.make("tag-images", GITHUB_REF_NAME="v1.2.3")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "scr-web:v1.2.3 is already another image" in done.stderr
    assert fake.repositories == before


@pytest.mark.parametrize("name", ["", "main", "v1.2", "1.2.3", "v01.2.3", "vx.y.z", "v1.2.3+build", "v1.2.3/../x"])
def test_a_git_tag_that_is_no_version_is_refused(fake: Fake, name: str) -> None:
    done = fake.make("tag-images", GITHUB_REF_NAME=name)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert fake.calls("aws") == []


def test_the_roles_may_do_what_the_scripts_do(fake: Fake) -> None:
    fake.make("push-image", COMPONENT="api")
    pushing = actions(fake)
    (fake.home / "calls").write_text("")
    fake.repositories = {name: {fake.version: MANIFEST} for name in fake.repositories}
    fake.make("tag-images", GITHUB_REF_NAME="v1.2.3")

    assert {"ecr:GetAuthorizationToken"} < pushing <= permitted("push")
    assert {"ecr:PutImage"} < actions(fake) <= permitted("tag")


def actions(fake: Fake) -> set[str]:
    return {f"{call[0]}:{call[1].title().replace('-', '')}" for call in fake.calls("aws")}


def permitted(role: str) -> set[str]:
    document = ROLES.partition(f'"aws_iam_policy_document" "{role}"')[2].partition("\n}")[0]
    return set(re.findall(r'"(ecr:\w+)"', document))
