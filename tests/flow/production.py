"""The production of a flow test's platform: candidates from staging, and people who decide about them."""

import contextlib
import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from ferryman.errors import Conflict
from ferryman.records import Approval, Deployment, OutboxMessage, Phase, Proposal
from ferryman.records.writes import Save
from ferryman_local.standins.people import Page, Person
from flow.documents import ENVIRONMENT, PRODUCTION, promoting, slack, webhook
from flow.place import Place, parsed
from flow.stage import Stage

Make = Callable[..., "Production"]

_numbers = itertools.count(1)


class Production(Place):
    """What `flow.place.Place` is to staging, and the approvals besides."""

    def __init__(self, stage: Stage, document: Mapping[str, Any]) -> None:
        super().__init__(stage, document, PRODUCTION)
        self.staging = self.on(ENVIRONMENT)

    def change(self, *, override: str | None = None, **environment: Any) -> dict[str, Any]:
        """Apply the document with other keys of production; None takes a key away."""
        changed = copy.deepcopy(self.document)
        part = changed["spec"]["environments"][PRODUCTION]
        part.update(environment)
        changed["spec"]["environments"][PRODUCTION] = {key: value for key, value in part.items() if value is not None}
        told = self.apply(changed, override=override)
        self.staging = self.on(ENVIRONMENT)
        return told

    def is_free(self) -> bool:
        """Whether nothing is on its way and nothing is held, in both environments."""
        return super().is_free() and self.staging.is_free() and self.state.freeze is None

    # ── releases ──

    def verified(self, **env: Any) -> str:
        """Push a version that staging verifies; the version."""
        version = self.push(**env)
        done = self.staging.ended(version)
        assert done.phase is Phase.SUCCEEDED, self.staging.tell()
        return version

    def name_it(self, version: str, name: str | None = None) -> str:
        """Give a version a semver name that no other has, and wait for nothing; the name."""
        name = name or f"v1.{next(_numbers)}.0"
        self.tag(version, name)
        return name

    def asked(self, version: str | None = None, *, attempt: int = 1, **env: Any) -> Deployment:
        """A deployment that waits for approval: of a fresh verified and named version, or of this one."""
        if version is None:
            version = self.verified(**env)
            self.name_it(version)

        def look() -> Deployment | None:
            found = self.deployments(version)[::-1]
            if len(found) < attempt or found[attempt - 1].phase is not Phase.AWAITING_APPROVAL:
                return None
            approval = self.approval(found[attempt - 1])
            return found[attempt - 1] if approval and approval.status == "Pending" and approval.token else None

        return self.until(look, f"{version} to wait for approval")

    def running_release(self) -> str:
        """Bring a fresh version to production, approved; the version."""
        deployment = self.asked()
        self.approve(deployment)
        done = self.ended(deployment.version)
        assert done.phase is Phase.SUCCEEDED, self.tell()
        return deployment.version

    # ── approvals ──

    def approval(self, deployment: Deployment) -> Approval | None:
        """The approval of a deployment."""
        return self.store.approval(deployment.id)

    def link(self, deployment: Deployment, person: str = "Ada", *, count: int = 1) -> str:
        """The last personal link that a person was sent for a deployment, once there are that many."""
        to = f"{person.lower()}@{self.name}.example"

        def look() -> list[str] | None:
            found = self.stage.inbox.links(to, deployment.id)
            return found if len(found) >= count else None

        return self.until(look, f"link {count} in {person}'s inbox")[-1]

    def proposal(self) -> Proposal:
        """The newest proposed document."""
        return self.store.proposals(self.name, 1)[0]

    def proposal_link(self, proposal: Proposal, person: str = "Ada") -> str:
        """The personal link that a person was sent for a proposed document."""
        to, id = f"{person.lower()}@{self.name}.example", proposal.approvals[PRODUCTION]
        return self.until(lambda: self.stage.inbox.links(to, id) or None, f"the link in {person}'s inbox")[-1]

    def decide(self, deployment: Deployment, decision: str, person: str = "Ada", reason: str = "") -> Page:
        """A person opens their link, types the version, and presses a button; the page that follows."""
        with Person() as visitor:
            return visitor.decide(self.link(deployment, person), decision, deployment.version[:7], reason)

    def approve(self, deployment: Deployment, person: str = "Ada") -> Page:
        """A person says yes; the page that follows, which must be no refusal."""
        page = self.decide(deployment, "approve", person)
        assert page.status == 200, f"{page.status}: {page.text[:800]}"
        return page

    def reject(self, deployment: Deployment, reason: str, person: str = "Ada") -> Page:
        """A person says no; the page that follows, which must be no refusal."""
        page = self.decide(deployment, "reject", person, reason)
        assert page.status == 200, f"{page.status}: {page.text[:800]}"
        return page

    def rewrite(self, deployment: Deployment, change: Callable[[Approval], Approval]) -> None:
        """Write its approval as if time had passed; again where a sent message is noted in it meanwhile."""
        for _ in range(20):
            approval = self.approval(deployment)
            assert approval is not None
            with contextlib.suppress(Conflict):
                return self.stage.store.write(Save(change(approval)))
        raise AssertionError(f"the approval of {deployment.id} never stood still")

    # ── messages ──

    def told(self, event: str, channel: str = "team", owner: str | None = None) -> OutboxMessage:
        """Wait for a message to a channel about an event; of a deployment, or of whatever owns it."""

        def look() -> OutboxMessage | None:
            return next((m for m in self.messages(event) if m.channel == channel and owner in (None, m.owner)), None)

        return self.until(look, f"a message about {event} to {channel}")

    def messages(self, event: str = "") -> list[OutboxMessage]:
        """Outbox messages of this platform whose event begins so."""
        return [message for message in self.stage.messages(self.name) if message.event.startswith(event)]


def promoted(stage: Stage, *arguments: Any, **settings: Any) -> Production:
    """A platform with a production, in place. `github` and `slack` true: they are what the stand-ins are."""
    name = next(stage.promoting_names)
    outside: dict[str, Any] = {"channels": {}}
    if settings.pop("slack", False):
        outside["channels"]["chat"] = slack(name, stage.aws.slack.api_url, stage.aws.slack.team)
    if settings.pop("hook", False):
        outside["channels"]["hook"] = webhook(name)
    if settings.pop("github", False):
        outside["github"] = {"apiUrl": stage.aws.github.url}
    wanted = promoting(name, *arguments, **outside, **settings)
    parsed(wanted)
    one = Production(stage, wanted)
    one.create()
    return one
