"""Approvers who decide with the links in their mails, and documents that wait for them."""

import re
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from urllib.parse import urlencode

from ferryman.records import Approval
from ferryman.store import keys
from simulation.documents import PLATFORM, mailbox
from simulation.people import People
from simulation.surroundings import Surroundings

LINK = re.compile(r"https://approve\.example(/a/([0-9A-Z]+)/([A-Za-z0-9_-]+))")


def links(world: Surroundings, who: str = "") -> list[tuple[str, str, str]]:
    """Return the links that were mailed to somebody, or to all, the oldest first: (path, approval, nonce)."""
    mails = [text for address, text in world.others.mails if address == mailbox(who) or not who]
    return [(found[1], found[2], found[3]) for text in mails for found in LINK.finditer(text)]


class Approvers:
    """What approvers may do beyond the API."""

    def __init__(self, world: Surroundings, people: People) -> None:
        self._world, self._people = world, people
        self.acts: dict[str, Callable[[], object]] = {
            "ada approves with her link": lambda: self._decide("ada"),
            "kim approves with his link": lambda: self._decide("kim"),
            "two approve with their links at once": lambda: (self._decide("ada"), self._decide("kim")),
            "ada approves twice with her link": lambda: (self._decide("ada"), self._decide("ada")),
            "one approves and one rejects with a link": lambda: (self._decide("kim"), self._decide("ada", "reject")),
            "ada approves with a link and with the command": lambda: (self._decide("ada"), self._approve("ada", {})),
            "ada opens her link": lambda: self._open("GET"),
            "a scanner opens the link": lambda: (self._open("HEAD"), self._open("OPTIONS")),
            "kim types another version": lambda: self._decide("kim", version="b000001"),
            "ada takes an old link": lambda: self._decide("ada", at=0),
            "kim asks for another link": self._ask_for_link,
            "propose weaker gates": partial(self._apply, 1),
            "apply the gates as they were": partial(self._apply, 2),
            "override the gates": partial(self._apply, 1, who="ada", query="override=nobody+is+there"),
            "approve the document": lambda: self._both({"about": "proposal"}),
            "reject the document": lambda: self._approve("kim", {"about": "proposal"}, "reject"),
        }

    def weights(self, deployment: bool) -> dict[str, int]:
        """Return what approvers would do, each with how likely it is; `deployment`: whether one is at work."""
        newest = self._world.table.partition(keys.proposals(PLATFORM))[-1:]
        document = any(item["status"]["S"] == "Proposed" for item in newest)
        found = {"propose weaker gates": 4, "apply the gates as they were": 2, "override the gates": 1}
        found |= {"approve the document": 14, "reject the document": 2} if document else {}
        likely = {"two approve with their links at once": 20, "ada approves with her link": 6}
        others = (name for name in self.acts if name not in found and not name.endswith("the document"))
        return found | {name: likely.get(name, 2) for name in others if deployment or document}

    def _decide(self, who: str, decision: str = "approve", *, version: str = "", at: int = -1) -> None:
        mine = links(self._world, who)
        if mine:
            path, id, _ = mine[at]
            item = self._world.table.get(*keys.approval(id).values())
            seen = Approval.model_validate(self._world.read.of(item)).short if item is not None else ""
            form = {"decision": decision, "version": version or seen, "reason": "seen"}
            self._people.browse("POST", path, urlencode(form))

    def _open(self, method: str) -> None:
        for path, _, _ in links(self._world, "ada")[-1:]:
            self._people.browse(method, path)

    def _ask_for_link(self) -> None:
        for path, _, _ in links(self._world, "kim")[-1:]:
            self._people.browse("POST", path.rpartition("/")[0], urlencode({"email": mailbox("kim")}))

    def _apply(self, required: int, who: str = "jo", query: str = "") -> None:
        document = deepcopy(self._world.document)
        document["spec"]["environments"]["production"]["approval"]["required"] = required
        self._people.ask(who, "PUT", f"/v1/platforms/{PLATFORM}", document, "", "apply", query=query)

    def _both(self, about: dict[str, str]) -> None:
        self._approve("ada", about)
        self._approve("kim", about)

    def _approve(self, who: str, about: dict[str, str], what: str = "approve") -> None:
        for item in self._world.table.partition(keys.proposals(PLATFORM))[-1:] if about else ():
            self._people.post(who, "production", what, version=item["hash"]["S"], reason="seen", **about)
        for _, id, _ in links(self._world, who)[-1:] if not about else ():
            item = self._world.table.get(*keys.approval(id).values()) or {}
            self._people.post(who, "production", what, version=item["version"]["S"], reason="seen")
