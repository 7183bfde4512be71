"""What the API asks of AWS besides the table, faked: it remembers what it was asked for."""

from collections.abc import Iterable
from dataclasses import replace

from ferryman.access.people import People
from ferryman.api.views.live_services import Counts, Definitions
from ferryman.decisions.approver_checks import Surroundings, problems_of
from ferryman.decisions.schema_compatibility import ImageLabels
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import Unavailable
from ferryman.platform import Platform, claims
from ferryman.platform.claims import Claim, Claims, Part
from ferryman.platform.problem import Findings
from ferryman.records import Plan, Release, things


class FakeOutside:
    """ECS is as the document says unless `problems` say otherwise; nudges and wakes arrive unless it is `down`."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.counts: dict[str, Counts] = {}
        self.named: dict[tuple[str, str], list[str]] = {}
        """(platform, environment) → what references of its document name in AWS."""
        self.adopted: list[str] = []
        self.probed: list[tuple[str, bool]] = []
        self.nudged: list[tuple[str, str]] = []
        self.woken: list[tuple[str, str, str]] = []
        self.down = False
        self.image_labels: dict[str, ImageLabels] = {}
        """Digest → labels; other images have none."""
        self.looked_at: list[str] = []
        self.image_scans: tuple[ImageScan, ...] = ()
        self.definitions: dict[str, Definitions] = {}
        self.unread: list[str] = []
        self.declared = People()
        self.iam_is_down = False
        self.identity_center: set[str] = set()
        """Names of the roles that Identity Center made."""
        self.live: dict[str, dict[str, str]] = {}
        """Environment → service → task definition that it runs."""
        self.parameters: dict[str, str] = {}
        """`ssm:` reference → value."""

    def verify(self, document: Platform) -> Findings:
        here = (*(f"spec.environments.{name}." for name in document.spec.environments), "spec.components.")
        problems = [problem for problem in self.problems if problem[0].startswith(here)]
        notes = [note for note in self.notes if note[0].startswith(here)]
        return Findings(problems, notes, self.claims(document), self.live)

    def claims(self, document: Platform) -> Claims:
        """Each service is what the document says; `named` adds task definitions and the like."""
        parts = {
            name: Part(
                tuple(
                    [Claim(things.service(environment.cluster, one.name), one.name) for one in environment.services]
                    + [Claim(thing, thing) for thing in self.named.get((document.name, name), ())]
                )
            )
            for name, environment in document.spec.environments.items()
        }
        whole = Part(tuple(Claim(thing, thing) for thing in self.named.get((document.name, ""), ())))
        return replace(claims.of_document(document), environments=parts, whole=whole)

    def approvers(self, document: Platform, *, at_a_glance: bool = False) -> list[tuple[str, str]]:
        if at_a_glance:
            return problems_of(document, Surroundings("aws", "123456789012", self.declared))
        about = Surroundings("aws", "123456789012", self.declared, self.made_by_identity_center, self._known)
        return problems_of(document, about)

    def people(self, platform: str) -> People:
        return self.declared

    def made_by_identity_center(self, role: str) -> bool:
        if self.iam_is_down:
            raise Unavailable("IAM does not answer")
        return role in self.identity_center

    def values(self, references: Iterable[str]) -> dict[str, str]:
        return {reference: self.parameters.get(reference, "a value") for reference in references}

    def probe(self, platform: str, *, send: bool) -> list[dict[str, object]]:
        self.probed.append((platform, send))
        return [{"name": "team", "kind": "slack", "works": True, "message": "Slack knows the bot as ferryman"}]

    def adopt(self, document: Platform) -> None:
        self.adopted.append(document.name)

    def observe(self, plan: Plan) -> dict[str, Counts]:
        self._reach()
        return self.counts

    def labels(self, document: Platform, component: str, digest: str) -> ImageLabels:
        assert component in document.spec.components
        self.looked_at.append(digest)
        return self.image_labels.get(digest, ImageLabels())

    def scans(self, document: Platform, environment: str, release: Release) -> tuple[ImageScan, ...]:
        return self.image_scans

    def task_definitions(self, document: Platform, environment: str) -> tuple[dict[str, Definitions], list[str]]:
        self._reach()
        return self.definitions, self.unread

    def text(self, value: str) -> str:
        return self.parameters.get(value.removeprefix("ssm:"), value)

    def nudge(self, platform: str, environment: str) -> None:
        self._reach()
        self.nudged.append((platform, environment))

    def wake(self, platform: str, environment: str, deployment: str) -> None:
        self._reach()
        self.woken.append((platform, environment, deployment))

    def _known(self, value: str) -> str | None:
        return self.parameters.get(value.removeprefix("ssm:")) if value.startswith("ssm:") else value

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("no answer")
