"""The web app's Dockerfile: what builds, Terraform and the local AWS rely on. It is built by other tests."""

import json
import re

from .dockerfiles import TERRAFORM, instructions
from .images import FOLDERS, PLATFORM

WEB = PLATFORM / FOLDERS["web"]


def copied(lines: list[str]) -> list[str]:
    """What comes from the app's folder, in order."""
    return [name for line in lines if re.match(r"COPY (?!--from)", line) for name in line.split()[1:-1]]


def test_its_stages_are_the_guides() -> None:
    lines = instructions("web")

    assert lines[0] == "ARG NODE_IMAGE=node:20-bookworm-slim"
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM ${NODE_IMAGE} AS base",
        "FROM base AS deps",
        "FROM deps AS builder",
        "FROM ${NODE_IMAGE} AS runner",
    ]


def test_a_release_changes_the_last_layers_only() -> None:
    lines = instructions("web")

    assert lines[-3:] == ["COPY site.json ./", "ARG APP_VERSION=dev", "ENV APP_VERSION=$APP_VERSION"]
    assert copied(lines).count("site.json") == 1
    assert not [line for line in lines[:-2] if "APP_VERSION" in line]


def test_nobody_runs_as_root_and_nobody_is_told_an_address() -> None:
    lines = instructions("web")

    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert {line.split()[1].partition("=")[0] for line in lines if line.startswith("ARG")} == {
        "NODE_IMAGE",
        "APP_VERSION",
    }
    assert "NEXT_PUBLIC" not in " ".join(lines)


def test_docker_and_ecs_ask_for_health_alike() -> None:
    (check,) = [line for line in instructions("web") if line.startswith("HEALTHCHECK")]
    *program, script = json.loads(check.partition("CMD ")[2])

    assert program == ["node", "-e"]
    assert json.dumps(script) in TERRAFORM.read_text(encoding="utf-8")


def test_the_context_is_what_is_copied_and_no_env_file() -> None:
    first, *allowed = [
        line for line in (WEB / ".dockerignore").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]

    assert first == "*"
    assert {line.removeprefix("!") for line in allowed} == set(copied(instructions("web")))
    assert all((WEB / name).exists() for name in copied(instructions("web")))


def test_packages_are_locked_and_their_manager_is_pinned_by_hash() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))

    assert re.fullmatch(r"pnpm@\d+\.\d+\.\d+\+sha512\.[0-9a-f]{128}", package["packageManager"])
    wanted = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert "://" not in (WEB / "pnpm-lock.yaml").read_text(encoding="utf-8")
    assert "RUN pnpm install --frozen-lockfile" in instructions("web")
