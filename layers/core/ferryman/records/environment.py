"""Environments: what decides what happens next in one. Pure."""

from datetime import UTC
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer

from ferryman.records.base import Record
from ferryman.records.phases import Phase
from ferryman.text import person


class Actor(Record):
    """Who did something: `automated` actors are `push`, `reconcile` and the like; people carry their IAM ARN."""

    who: str
    automated: bool = False


class Hold(Record):
    """Automation stays off until a person lifts it, or its time is over."""

    reason: str
    who: str
    at: AwareDatetime
    until: AwareDatetime | None = None
    """When reconcile lifts it; None: only a person does."""
    reminded_at: AwareDatetime | None = None
    """When people were last reminded of it."""

    def instead_of(self, standing: "Hold | None") -> "Hold":
        """Return this hold with the reason of the one that it replaces, because lifting it lifts that one, too."""
        if standing is None:
            return self
        reason = f"{self.reason} (previously put on hold by {person(standing.who)}: {standing.reason})"
        return self.but(reason=reason[:1_000])

    @property
    def end(self) -> str:
        """Its end, for a sentence: ` until 2026-12-24 18:00 UTC`; empty if only a person ends it."""
        return f" until {self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if self.until is not None else ""


class Freeze(Record):
    """A person's word that nothing starts for a while, beside the document's windows."""

    reason: str
    who: str
    at: AwareDatetime
    until: AwareDatetime | None = None


class Waiver(Record):
    """A person's word that a release may go on in spite of what image scans found or failed to tell."""

    reason: str
    who: str
    at: AwareDatetime
    until: AwareDatetime


class Settled(Record):
    """A version that automation won't start again, or (Errored) not before `retry_at`."""

    phase: Phase
    reason: str
    at: AwareDatetime
    attempts: int = 1
    retry_at: AwareDatetime | None = None
    tag: str | None = None
    """The semver tag of the last attempt."""
    requested_by: Actor | None = None
    """Who had asked for it."""


class Request(Record):
    """A person's wish for a version, stronger than `settled`; cleared when a deployment claims it."""

    version: str
    kind: Literal["deploy", "retry", "redeploy", "rollback", "migrate"]
    reason: str
    who: str
    at: AwareDatetime
    command: Literal["up", "down", "current"] | None = None
    """Of migrate: what to do with the database; of rollback: `down`, or None to leave the database alone."""
    revision: str | None = None
    """Where `down` goes to."""
    migration: str = ""
    """Of migrate: which of several migrations is meant, by name."""
    revisions: dict[str, str] = {}
    """Of rollback with `down`: where it goes to, by name of the migration."""
    override: str = ""
    """Why an admin has it run without the approval that it needs; "": no admin does."""
    schema_mismatch: str = ""
    """Of rollback: why the release may not suit the database, which whoever asked for it accepts."""


class Running(Record):
    """What an environment runs, as the last finished deployment left it."""

    version: str | None
    deployment: str | None
    digests: dict[str, str]
    at: AwareDatetime


class Target(Record):
    """The last good state: where a rollback goes."""

    version: str | None
    deployment: str | None
    digests: dict[str, str] = {}
    task_definitions: dict[str, str] = {}
    """Service → task definition ARN; `job/<name>` → the task definition that its target names."""
    bases: dict[str, str] = {}
    """Service or `job/<name>` → ARN of the base task definition it was made from."""


class Active(Record):
    """The claim on an environment. It is released by its own fence or, after its execution ended, by reconcile."""

    deployment: str
    version: str
    fence: int
    execution_name: str
    execution_arn: str | None = None
    input: str
    """The execution's input, stored so that a claim can be driven again with exactly the same."""
    claimed_at: AwareDatetime


ConditionType = Literal[
    "Ready",
    "Progressing",
    "Migrated",
    "Available",
    "Verified",
    "Approved",
    "Held",
    "Frozen",
    "Drifted",
    "OldTasksRemain",
]


class Condition(Record):
    """An observation, as in Kubernetes; not a state machine."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: AwareDatetime


class WaitingFor(Record):
    """What the newest release that may not come yet waits for, as reconcile saw it."""

    version: str
    reason: str
    """CamelCase: `WaitsForSource`, `Soaking`, `ScanMissing`, `ScanPending`, `ScanBlocked`, `ScanDenied`."""
    message: str
    """For people."""


class LiveHealth(Record):
    """How the services of an environment were when reconcile last looked at ECS."""

    status: Literal["Healthy", "Progressing", "Degraded"]
    reason: str
    """CamelCase; see `decisions.health`."""
    message: str
    """For people: which services, and what ECS says of them."""
    at: AwareDatetime
    """When ECS said so."""


class Listed(Record):
    """That the lists of the platform's releases can be relied on here. Version 0.1.0 drops it with each write."""

    since: AwareDatetime
    """Since when each look found every release in the lists."""
    generation: int
    """Of the document by which `decided_until` was found."""
    decided_until: AwareDatetime | None = None
    """Of the releases older than what runs, those that last changed before this never start here."""


def _split(value: object) -> object:
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


Reasons = Annotated[tuple[str, ...], BeforeValidator(_split), PlainSerializer(",".join, return_type=str)]
"""Reasons in CamelCase; stored as one text with commas between."""


class EnvironmentState(Record):
    """Everything that decides what happens next in one environment."""

    platform: str
    environment: str
    fence: int = 0
    active: Active | None = None
    requested: Request | None = None
    hold: Hold | None = None
    freeze: Freeze | None = None
    waivers: dict[str, Waiver] = {}
    """Version → why image scans do not hold it back."""
    reported: dict[str, Reasons] = {}
    """Version → why it waits, as people were told: they hear of each reason once."""
    settled: dict[str, Settled] = {}
    current: Running | None = None
    last_succeeded: Target | None = None
    astray: bool = False
    """Whether a deployment since then left services or jobs on something else: the next way back covers all."""
    previous: Target | None = None
    """The good state before the last one: what a manual rollback goes to, kept tagged `<env>-previous`."""
    adopted_at: AwareDatetime | None = None
    """Since when we operate it: what was complete before is not deployed by itself."""
    began_at: AwareDatetime | None = None
    """When the name of a deleted environment was used again: what happened before belongs to that one.

    None: there was none, or it was removed by a version that did not tell the two apart.
    """
    tagged: str | None = None
    """Deployment whose outcome the moving tags already show."""
    tagging_until: AwareDatetime | None = None
    """While reconcile repairs moving tags: when that ends at the latest. No deployment starts before."""
    conditions: list[Condition] = []
    observed_generation: int = 0
    reconciled_at: AwareDatetime | None = None
    again_at: AwareDatetime | None = None
    """Of earlier versions, which asked for the next look at image scans."""
    waiting_since: AwareDatetime | None = None
    """Since when a release waits that this environment should run; None when there is none."""
    waiting_for: WaitingFor | None = None
    health: LiveHealth | None = None
    """None until the first look, and in what earlier versions wrote."""
    listed: Listed | None = None
    rev: int = 0

    def condition(self, type: str) -> Condition | None:
        """Return one condition."""
        return next((item for item in self.conditions if item.type == type), None)
