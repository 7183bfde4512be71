"""The progress of a deployment after the decision, step by step. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.approvals.web import database_section
from ferryman.decisions import deployment_steps
from ferryman.durations import age
from ferryman.records import Approval, Deployment, Phase, Step, StepStatus, step_keys
from ferryman.text import one_line, person

Tone = Literal["done", "now", "bad", "skipped", "waits"]

_TONES: dict[StepStatus, tuple[Tone, str]] = {
    StepStatus.RUNNING: ("now", "running"),
    StepStatus.SUCCEEDED: ("done", "succeeded"),
    StepStatus.FAILED: ("bad", "failed"),
    StepStatus.SKIPPED: ("skipped", "skipped"),
    StepStatus.ABORTED: ("bad", "aborted"),
    StepStatus.ERRORED: ("bad", "errored"),
}


@dataclass(frozen=True)
class Line:
    """One step."""

    title: str
    tone: Tone
    word: str
    note: str
    """Why it was skipped or failed, or its progress."""
    took: str


@dataclass(frozen=True)
class Progress:
    """All steps, and the state of the deployment."""

    phase: str
    headline: str
    message: str
    tone: Tone
    running: bool
    lines: list[Line]
    release_url: str | None = None


def progress(approval: Approval, deployment: Deployment, now: datetime) -> Progress:
    """Return the progress of a deployment whose approval has been decided."""
    if approval.status == "Rejected":
        line = _line(step_keys.APPROVAL, deployment, now)
        headline = database_section.headline(deployment) or "The deployment was rejected"
        return Progress("Rejected", headline, "No service was changed.", "bad", False, [line])
    tone, headline = _headline(deployment)
    headline = database_section.headline(deployment) or headline
    url = deployment.publication.url if deployment.publication else ""
    return Progress(
        phase=str(deployment.phase),
        headline=headline,
        message=one_line(deployment.message, limit=2_000) if deployment.phase.terminal else "",
        tone=tone,
        running=not deployment.phase.terminal,
        lines=[
            _line(found.key, deployment, now)
            for found in deployment_steps.flow(deployment)
            if found.key != step_keys.BEGIN
        ],
        release_url=url if url.startswith(("https://", "http://")) else None,
    )


def _headline(deployment: Deployment) -> tuple[Tone, str]:
    match deployment.phase:
        case Phase.SUCCEEDED:
            return "done", "Deployed and verified"
        case Phase.FAILED:
            return "bad", "The deployment failed"
        case Phase.ROLLED_BACK:
            return "bad", "The deployment failed and was rolled back"
        case Phase.REJECTED:
            return "bad", "The deployment was rejected"
        case Phase.EXPIRED:
            return "bad", "Not approved in time"
        case Phase.SUPERSEDED:
            return "skipped", "Replaced by another release"
        case Phase.ABORTED:
            return "bad", "The deployment was stopped"
        case Phase.ERRORED:
            return "bad", "The release could not be deployed"
        case Phase.ROLLING_BACK:
            return "bad", "The deployment failed and is being rolled back"
        case Phase.PENDING | Phase.AWAITING_APPROVAL:
            return "now", "Approved: the deployment is starting"
        case _:
            return "now", "The deployment is in progress"


def _line(key: str, deployment: Deployment, now: datetime) -> Line:
    title, step = deployment_steps.title_of(key), deployment.step(key)
    title = title[:1].upper() + title[1:]
    if step is None:
        if deployment.phase.terminal:
            return Line(title, "skipped", "not started", "", "")
        return Line(title, "waits", "waiting", "", "")
    tone, word = _TONES[step.status]
    return Line(title, tone, word, _note(key, step, deployment), age(step.started_at, step.ended_at or now))


def _note(key: str, step: Step, deployment: Deployment) -> str:
    if key == step_keys.APPROVAL and step.status is StepStatus.SUCCEEDED:
        return "by " + ", ".join(person(name) for name in deployment.approved_by) if deployment.approved_by else ""
    if step.status is StepStatus.RUNNING and step.rollout is not None and step.rollout.desired is not None:
        return f"{step.rollout.running or 0} of {step.rollout.desired} tasks running"
    if step.status is StepStatus.SUCCEEDED:
        return ""
    return one_line(step.message, limit=500) or step.reason
