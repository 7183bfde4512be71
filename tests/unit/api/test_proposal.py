"""A proposed document in the API: shown, and decided with AWS credentials, also beside a deployment that waits."""

import copy
from typing import Any

import pytest

from ferryman.clients.ssm import References
from ferryman.controller.proposals import Proposals
from ferryman.platform.claims import of_document
from ferryman.records import Proposal
from unit.api_world import ADMIN, JO
from unit.api_world import World as Api
from unit.approving import ADA, ADA_ARN, GRACE, GRACE_ARN, PARAMETERS, SHORT, World, document
from unit.fakes.secrets import FakeParameters

SCR = "/v1/platforms/scr"
PRODUCTION = f"{SCR}/environments/production"


@pytest.fixture
def api() -> Api:
    """A production whose deployment waits for approval, and a proposed document besides."""
    world = World().asked()
    made = Api(world.store, world.clock, world.new_id)
    weaker = copy.deepcopy(document().dump())
    weaker["spec"]["environments"]["production"]["approval"] = None
    assert made.call("PUT", SCR, weaker)[1]["result"] == "proposed"
    tend(made)
    return made


def tend(api: Api) -> None:
    references = References(FakeParameters(PARAMETERS))
    Proposals(api.store, references, of_document, lambda _: None, lambda *_: None, api.clock, api.new_id).tend("scr")


def proposal(api: Api) -> Proposal:
    return api.store.proposals("scr", 1)[0]


def test_it_is_shown_with_its_changes_and_who_has_to_agree(api: Api) -> None:
    status, body = api.call("GET", f"{SCR}/proposal")

    assert (status, body["status"], body["short"]) == (200, "Proposed", proposal(api).short)
    assert body["message"] == f"Document {body['short']} waits for the approvers of production."
    assert [change["text"] for change in body["changes"]] == ["production no longer asks for approval"]
    assert body["approvals"] == [
        {"environment": "production", "status": "Pending", "required": 1, "approvedBy": [],
         "approvers": [ADA, GRACE, "Linus T."]},
    ]  # fmt: skip


def test_where_none_was_ever_proposed() -> None:
    world = World()
    status, body = Api(world.store, world.clock, world.new_id).call("GET", f"{SCR}/proposal")
    assert (status, body["error"]["code"]) == (404, "NotFound")


def test_the_deployment_comes_first_and_the_document_by_name(api: Api) -> None:
    first = api.call("GET", f"{PRODUCTION}/approval", who=ADA_ARN)[1]
    assert (first["about"], first["short"], first["proposalWaits"]) == ("deployment", SHORT, True)

    second = api.call("GET", f"{PRODUCTION}/approval", who=ADA_ARN, about="proposal")[1]
    assert (second["about"], second["short"], second["you"]) == ("proposal", proposal(api).short, ADA)
    assert second["gates"][0]["text"] == "production no longer asks for approval"


def test_a_decision_about_the_document_leaves_the_deployment_waiting(api: Api) -> None:
    body = {"version": proposal(api).short, "about": "proposal"}
    status, answer = api.call("POST", f"{PRODUCTION}/approve", body, who=GRACE_ARN)
    assert (status, answer["verdict"], answer["about"], answer["deployment"]) == (200, "Approved", "proposal", None)
    tend(api)
    assert api.store.platform("scr").generation == proposal(api).generation + 1
    assert api.call("GET", f"{PRODUCTION}/approval")[1]["status"] == "Pending"


def test_the_word_of_the_one_decides_nothing_about_the_other(api: Api) -> None:
    for body in ({"version": SHORT, "about": "proposal"}, {"version": proposal(api).short}):
        status, answer = api.call("POST", f"{PRODUCTION}/approve", body, who=GRACE_ARN)
        assert (status, answer["error"]["code"]) == (422, "WrongVersion")


def test_a_stranger_is_refused(api: Api) -> None:
    body = {"version": proposal(api).short, "about": "proposal"}
    status, answer = api.call("POST", f"{PRODUCTION}/approve", body, who=JO)
    assert (status, answer["error"]["code"]) == (403, "NotAllowed")


def test_an_unknown_subject_is_refused(api: Api) -> None:
    assert api.call("GET", f"{PRODUCTION}/approval", about="weather")[0] == 400


def test_a_status_names_it_and_an_override(api: Api) -> None:
    for path in (SCR, PRODUCTION):
        [note] = api.call("GET", path)[1]["notes"]
        assert note.endswith("waits for the approvers of production. To see it, run `ferryman proposal -p scr`.")

    weaker: dict[str, Any] = copy.deepcopy(proposal(api).document)
    api.call("PUT", SCR, weaker, who=ADMIN, override="a plane")

    [note] = api.call("GET", SCR)[1]["notes"]
    assert "was applied without the approval that it needed, by" in note
    assert note.endswith(": a plane (production no longer asks for approval).")
