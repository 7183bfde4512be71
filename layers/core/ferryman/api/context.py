"""What the API's routes work with: the store, a clock, ids, and the few effects they have outside of the table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ferryman.access import Access
from ferryman.access.people import People
from ferryman.api.refusals import Refusals
from ferryman.api.views.live_services import Counts, Definitions
from ferryman.decisions.schema_compatibility import ImageLabels
from ferryman.decisions.snapshot import ImageScan
from ferryman.ids import Clock, NewId
from ferryman.platform import Platform
from ferryman.platform.claims import Claims
from ferryman.platform.hosts import Hosts
from ferryman.platform.problem import Findings, Problem
from ferryman.records import Plan, Release
from ferryman.store.table import Store


class Outside(Protocol):
    """What the API asks of AWS besides the table. `Aws` is the real one; tests bring their own."""

    def verify(self, document: Platform) -> Findings:
        """Return what is wrong on the ECS side, and what else people should know of it."""

    def values(self, references: Iterable[str]) -> dict[str, str]:
        """Return `ssm:` reference → its value now; empty for one that can't be read."""

    def claims(self, document: Platform) -> Claims:
        """Return what a stored document owns."""

    def adopt(self, document: Platform) -> None:
        """Take what runs as `current` in environments that are new to us; before the document is stored."""

    def approvers(self, document: Platform, *, at_a_glance: bool = False) -> list[Problem]:
        """Return what is wrong with approvers: who does not prove to be one person, or is listed twice.

        `at_a_glance`: as far as the document tells, without IAM and references.
        """

    def people(self, platform: str) -> People:
        """Return the people whom the access configuration declares."""

    def made_by_identity_center(self, role: str) -> bool:
        """Whether IAM Identity Center made the role of this name; raise Throttled or Unavailable."""

    def observe(self, plan: Plan) -> dict[str, Counts]:
        """Return what ECS says now about the services of a plan."""

    def labels(self, document: Platform, component: str, digest: str) -> ImageLabels:
        """Return what an image says about itself; what can't be read is a reason in it."""

    def scans(self, document: Platform, environment: str, release: Release) -> tuple[ImageScan, ...]:
        """Return what is known of the scans of a release's images, as far as an environment runs them."""

    def task_definitions(self, document: Platform, environment: str) -> tuple[dict[str, Definitions], list[str]]:
        """Return service or `job/<name>` → what it runs and what it would be made from, and what could not be read."""

    def text(self, value: str) -> str:
        """Return a value of the document, or what the parameter that it refers to holds."""

    def probe(self, platform: str, *, send: bool) -> list[dict[str, object]]:
        """Return whether each channel of a platform works; `send`: by a test message to each."""

    def nudge(self, platform: str, environment: str) -> None:
        """Have reconcile look at an environment now instead of at the next sweep."""

    def wake(self, platform: str, environment: str, deployment: str) -> None:
        """Have the waiting steps of a deployment judged again now."""


@dataclass(frozen=True)
class Context:
    """Everything a route needs."""

    store: Store
    outside: Outside
    clock: Clock
    new_id: NewId
    access: Access = field(default_factory=Access)
    refusals: Refusals = field(default_factory=Refusals)
    hosts: Hosts = field(default_factory=Hosts)
    """Where secrets may be sent."""
