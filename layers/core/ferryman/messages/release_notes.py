"""The text of a release on GitHub. Pure."""

from dataclasses import dataclass
from typing import Any

from ferryman.records import Approval, Deployment, Release, Verified
from ferryman.text import one_line

COMMITS_SHOWN = 100
_LIMIT = 60_000
"""Characters; GitHub takes 125,000."""


@dataclass(frozen=True)
class Changes:
    """The commits since what ran before, oldest first; `total` may be more than are listed."""

    commits: tuple[tuple[str, str], ...]
    """Short sha and title of each."""
    total: int


def changes_in(comparison: dict[str, Any]) -> Changes:
    """Read GitHub's comparison of two commits; malformed entries are left out."""
    found: list[tuple[str, str]] = []
    listed = comparison.get("commits")
    for item in listed if isinstance(listed, list) else []:
        commit = item.get("commit") if isinstance(item, dict) else None
        message = commit.get("message") if isinstance(commit, dict) else None
        if isinstance(message, str) and isinstance(item.get("sha"), str):
            found.append((item["sha"][:7], _plain(message.strip().partition("\n")[0], limit=200)))
    total = comparison.get("total_commits")
    return Changes(tuple(found[:COMMITS_SHOWN]), max(total if isinstance(total, int) else 0, len(found)))


def release_notes(
    deployment: Deployment,
    *,
    page: str,
    changes: Changes | None,
    release: Release | None,
    source: str | None,
    approval: Approval | None = None,
) -> str:
    """Write the notes of a deployment's release: Markdown that mentions nobody.

    `page` is the project's address, `source` the environment it was promoted from; without `changes`, none are listed.
    `approval` shows whose name is unverified.
    """
    blocks = [
        f"{deployment.version} runs in **{deployment.environment}**, deployed by Ferryman.",
        _commits(deployment, page, changes),
        _images(deployment),
        _proof(deployment, release.verified.get(source) if release and source else None, source, approval),
    ]
    text = "\n\n".join(block for block in blocks if block) + "\n"
    return text if len(text) <= _LIMIT else text[: text.rfind("\n", 0, _LIMIT)] + "\n"


def _commits(deployment: Deployment, page: str, changes: Changes | None) -> str:
    before = deployment.from_version
    if before is None or before == deployment.version:
        return ""
    compare = f"[{before}...{deployment.version}]({page}/compare/{before}...{deployment.version})"
    if changes is None:
        return f"## Changes\n\nGitHub cannot compare {before} with this version: {compare}"
    lines = [f"- {title} ({sha})" for sha, title in changes.commits]
    more = changes.total - len(changes.commits)
    if more > 0:
        lines.append(f"- and {more} more")
    return "\n".join(["## Changes", "", *(lines or ["No commits."]), "", f"Full comparison: {compare}"])


def _images(deployment: Deployment) -> str:
    lines = [f"| {name} | `{digest}` |" for name, digest in sorted(deployment.digests.items())]
    return "\n".join(["## Images", "", "| component | digest |", "|---|---|", *lines])


def _proof(
    deployment: Deployment, verified: Verified | None, source: str | None, approval: Approval | None
) -> str:  # fmt: skip
    lines = ["## Deployment", ""]
    if verified is not None:
        lines.append(f"- Verified in {source} at {verified.at:%Y-%m-%d %H:%M} UTC (deployment {verified.deployment})")
    if deployment.approved_by:
        lines.append(f"- Approved by {', '.join(_approver(name, approval) for name in deployment.approved_by)}")
    ended = f", {deployment.ended_at:%Y-%m-%d %H:%M} UTC" if deployment.ended_at else ""
    lines.append(f"- Deployed to {deployment.environment} by deployment {deployment.id}{ended}")
    return "\n".join(lines)


def _approver(name: str, approval: Approval | None) -> str:
    proved = {item.name for item in approval.decisions if item.identity != "unverified"} if approval else {name}
    return _plain(name, limit=80) + ("" if name in proved else " (unverified)")


def _plain(text: str, *, limit: int) -> str:
    """Return one line that mentions nobody: an invisible word joiner stands after each `@`."""
    return one_line(text, limit=limit).replace("@", "@\u2060").replace("<", "&lt;")
