"""How a deployment that was decided on is getting along, step by step. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ferryman.approvals.web.page_model import person
from ferryman.decisions import deployment_steps
from ferryman.durations import age
from ferryman.records import Approval, Deployment, Phase, Step, StepStatus, step_keys
from ferryman.text import one_line

Tone = Literal["done", "now", "bad", "skipped", "waits"]

_TONES: dict[StepStatus, tuple[Tone, str]] = {
    StepStatus.RUNNING: ("now", "running"),
    StepStatus.SUCCEEDED: ("done", "done"),
    StepStatus.FAILED: ("bad", "failed"),
    StepStatus.SKIPPED: ("skipped", "skipped"),
    StepStatus.ABORTED: ("bad", "stopped"),
    StepStatus.ERRORED: ("bad", "error"),
}


@dataclass(frozen=True)
class Line:
    """One step."""

    title: str
    tone: Tone
    word: str
    note: str
    """Why it was skipped or failed, or how far it is."""
    took: str


@dataclass(frozen=True)
class Progress:
    """All steps, and where the whole stands."""

    phase: str
    headline: str
    message: str
    tone: Tone
    running: bool
    lines: list[Line]
    release_url: str | None = None


def progress(approval: Approval, deployment: Deployment, now: datetime) -> Progress:
    """Tell how far a deployment is whose approval has been decided."""
    if approval.status == "Rejected":
        line = _line(step_keys.APPROVAL, deployment, now)
        return Progress("Rejected", "It was rejected", "No service was changed.", "bad", False, [line])
    tone, headline = _headline(deployment)
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
            return "done", "It runs, and passed its checks"
        case Phase.FAILED:
            return "bad", "It failed"
        case Phase.ROLLED_BACK:
            return "bad", "It failed and was rolled back"
        case Phase.REJECTED:
            return "bad", "It was rejected"
        case Phase.EXPIRED:
            return "bad", "It was not approved in time"
        case Phase.SUPERSEDED:
            return "skipped", "Another release goes instead"
        case Phase.ABORTED:
            return "bad", "It was stopped"
        case Phase.ERRORED:
            return "bad", "It could not be deployed"
        case Phase.ROLLING_BACK:
            return "bad", "It failed and is being rolled back"
        case Phase.PENDING | Phase.AWAITING_APPROVAL:
            return "now", "It is approved and starts now"
        case _:
            return "now", "It is being deployed"


def _line(key: str, deployment: Deployment, now: datetime) -> Line:
    title, step = deployment_steps.title_of(key), deployment.step(key)
    title = title[:1].upper() + title[1:]
    if step is None:
        if deployment.phase.terminal:
            return Line(title, "skipped", "not begun", "", "")
        return Line(title, "waits", "waits", "", "")
    tone, word = _TONES[step.status]
    return Line(title, tone, word, _note(key, step, deployment), age(step.started_at, step.ended_at or now))


def _note(key: str, step: Step, deployment: Deployment) -> str:
    if key == step_keys.APPROVAL and step.status is StepStatus.SUCCEEDED:
        return "by " + ", ".join(person(name) for name in deployment.approved_by) if deployment.approved_by else ""
    if step.status is StepStatus.RUNNING and step.rollout is not None and step.rollout.desired is not None:
        return f"{step.rollout.running or 0} of {step.rollout.desired} tasks run"
    if step.status is StepStatus.SUCCEEDED:
        return ""
    return one_line(step.message, limit=500) or step.reason
