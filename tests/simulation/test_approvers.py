"""Approvers, their links, and documents that wait for them: on the real handlers, and with the check taken out."""

import pytest

from ferryman.approvals import link_tokens
from ferryman.decisions import proposal_state
from ferryman.records import AppliedPlatform, Phase
from ferryman.store import keys
from simulation.approvers import Approvers, links
from simulation.at_the_end import judge
from simulation.choices import Choices
from simulation.documents import PLATFORM
from simulation.history import Told, _run
from simulation.invariants import Invariants
from simulation.people import People
from simulation.surroundings import Surroundings


class House:
    """A platform whose production two of three people approve, with the links in their mails."""

    def __init__(self) -> None:
        choices = Choices("pages")
        choices.faults = 0.0
        self.world = Surroundings(choices, "pages")
        self.people = People(self.world)
        self.invariants = Invariants(self.world, self.people)
        self.approvers = Approvers(self.world, self.people)
        self._told = Told(self.world, self.people, choices, self.invariants.broken)
        self.people.apply()
        self.wait(30)

    def wait(self, seconds: float) -> None:
        _run(self._told, self.invariants, seconds)

    def act(self, what: str, seconds: float = 120) -> None:
        self.approvers.acts[what]()
        self.wait(seconds)

    @property
    def phases(self) -> list[Phase]:
        return [item.phase for item in self.invariants.deployments("production")]

    @property
    def required(self) -> int:
        item = self.world.table.get(*keys.platform(PLATFORM).values())
        applied = AppliedPlatform.model_validate(self.world.read.of(item))
        return int(applied.document["spec"]["environments"]["production"]["approval"]["required"])

    @property
    def broken(self) -> list[str]:
        return [name for name, _ in self.invariants.broken]


def test_two_people_approve_with_their_links_and_one_of_them_twice_is_not_enough() -> None:
    house = House()
    house.people.push("a000001")
    house.wait(900)
    assert {who: len(links(house.world, who)) for who in ("ada", "grace", "kim")} == {"ada": 1, "grace": 1, "kim": 1}
    house.act("a scanner opens the link")
    house.act("kim types another version")
    house.act("ada approves twice with her link")
    house.act("ada approves with a link and with the command")
    assert house.phases == [Phase.AWAITING_APPROVAL]
    house.act("kim approves with his link", 600)
    assert house.phases == [Phase.SUCCEEDED]
    judge(house.world, house.people, house.invariants)
    assert house.broken == []


def test_a_document_that_weakens_the_gate_waits_for_its_approvers() -> None:
    house = House()
    house.act("propose weaker gates")
    assert house.required == 2
    house.act("approve the document")
    assert house.required == 1
    house.act("apply the gates as they were")
    house.act("propose weaker gates")
    house.act("reject the document")
    assert house.required == 2
    house.act("override the gates")
    assert (house.required, house.broken) == (1, [])


def test_a_gate_that_falls_by_itself_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposal_state, "due", lambda *given: ("Approved", "nobody was asked"))
    house = House()
    house.act("propose weaker gates", 600)
    assert house.broken == ["GatesHold"]


def test_a_key_that_is_stored_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_tokens, "hashed", lambda plain: plain[:43].ljust(64, "0"))
    house = House()
    house.people.push("a000001")
    house.wait(900)
    judge(house.world, house.people, house.invariants)
    assert "NoSecretIsTold" in house.broken
