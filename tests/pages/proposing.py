"""A document that is proposed on the site of the pages' tests."""

import copy
from typing import Any

from ferryman.decisions.document_changes import references
from ferryman.platform import parse
from ferryman.records import Actor, Proposal, ProposedChange
from ferryman.records.writes import Save
from pages import asking
from pages.site_world import Site
from unit import builders as make

ID = "01K00000000000000000000PRP"
ASK = "01K00000000000000000000PAS"
PERSONAL, SHARED = f"/a/{ASK}/{asking.ADA_NONCE}", f"/a/{ASK}"
WEAKER = ProposedChange(
    environment="production",
    path="spec.environments.production.approval",
    effect="looser",
    text="production no longer asks for approval <b>",
)
OTHERS = [
    WEAKER,
    WEAKER.but(environment="europe", text="europe: soak 1h → 10m"),
    WEAKER.but(effect="tighter", text="production also runs the smoke test web"),
    WEAKER.but(effect="neutral", text="production: tagWait changes"),
]


def propose(site: Site, scr_document: dict[str, Any]) -> Site:
    """Have a document wait that asks nobody for approval of production any more."""
    after = copy.deepcopy(asking.document(scr_document))
    del after["spec"]["environments"]["production"]["approval"]
    stored = parse(after).dump()
    proposal = Proposal(
        platform="scr", id=ID, generation=1, document=stored, hash=references.fingerprint(stored), changes=OTHERS,
        approvals={"production": ASK}, proposed_by="arn:aws:iam::123456789012:user/jo", proposed_at=make.AT,
        expires_at=asking.approval().expires_at,
    )  # fmt: skip
    approval = asking.approval(
        deployment=ASK, fence=0, version=proposal.hash, tag=None, digests={}, proposal=ID, token=None,
        requested_by=Actor(who=proposal.proposed_by),
    )  # fmt: skip
    applied = site.store.platform("scr")
    site.store.write(Save(proposal), Save(approval), Save(applied.but(proposal=ID)))
    return site
