"""What becomes of a link: too much is typed on it, its owner changes, its deployment ends."""

import copy
from datetime import timedelta

from ferryman.ids import now
from ferryman.records import Deployment, Phase
from ferryman.records.writes import Save
from ferryman_local.standins.people import Person, Scanner
from flow.production import Make, Production
from flow.stage import Stage


def untouched(prod: Production, deployment: Deployment) -> None:
    """Nothing is decided."""
    approval = prod.approval(deployment)
    assert approval is not None
    assert (approval.status, approval.decisions) == ("Pending", []), prod.tell()


def test_wrong_words_pause_a_link_and_its_owner_gets_another(reused: Make, stage: Stage) -> None:
    prod = reused()
    deployment = prod.asked()
    link, version = prod.link(deployment), deployment.version[:7]

    def typed(word: str, to: str = link) -> int:
        with Person() as person:
            return person.ask("POST", to, data={"decision": "approve", "version": word}).status

    statuses = [typed(f"wrong-{number}") for number in range(20)]
    statuses += [typed("wrong-1"), typed(""), typed("one too many"), typed(version)]
    assert statuses == [422] * 22 + [429] * 2
    with Person() as person:
        page = person.open(link)
    assert "Typing is paused on this link" in page.text
    assert not any(("decision", "approve") in form.buttons for form in page.forms)
    untouched(prod, deployment)
    with Scanner() as scanner:
        assert max(scanner.visit(link)) < 500
    fresh = prod.link(deployment, count=2)
    assert fresh != link
    assert len([m for m in prod.messages("link-paused") if m.owner == deployment.id]) == 1
    assert typed(version, fresh) == 303
    assert prod.ended(deployment.version).phase is Phase.SUCCEEDED, prod.tell()


def test_a_changed_address_revokes_a_link_at_once(production: Make, stage: Stage) -> None:
    prod = production()
    deployment = prod.asked()
    adas, graces = prod.link(deployment), prod.link(deployment, "Grace")
    applied = prod.store.platform(prod.name)
    document = copy.deepcopy(applied.document)
    people = document["spec"]["environments"]["production"]["approval"]["approvers"]
    people[0]["email"] = "ada@elsewhere.example"
    people.pop(1)
    prod.store.write(Save(applied.but(document=document)))
    for link in (adas, graces):
        with Person() as person:
            form = {"decision": "approve", "version": deployment.version[:7]}
            answers = [person.open(link), person.ask("POST", link, data=form)]
        for page in answers:
            assert (page.status, "This link was revoked" in page.text) == (410, True), page.text
            assert deployment.version not in page.text
    untouched(prod, deployment)
    # Nobody sends them another one either.
    with Person() as person:
        shared = f"{stage.approvals_url}/a/{deployment.id}"
        answer = person.ask("POST", shared, data={"email": f"ada@{prod.name}.example"})
    assert answer.status == 303
    row = prod.until(lambda: next((m for m in prod.messages("link-1") if m.gave_up), None), "the mail to be dropped")
    assert "no longer lists" in str(row.last_error)
    assert len(stage.inbox.links(f"ada@{prod.name}.example", deployment.id)) == 1


def test_a_link_shows_what_came_of_it_and_ends_a_day_later(reused: Make, stage: Stage) -> None:
    prod = reused()
    deployment = prod.asked()
    link = prod.link(deployment)
    prod.approve(deployment)
    done = prod.ended(deployment.version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    with Person() as person:
        page = person.open(link)
        assert (page.status, page.forms) == (200, [])
        again = person.ask("POST", link, data={"decision": "reject", "version": deployment.version[:7], "reason": "x"})
        assert 400 <= again.status < 500
    prod.until(lambda: prod.state.active is None, "the claim to be released")
    prod.store.write(Save(prod.deployments(deployment.version)[0].but(ended_at=now() - timedelta(hours=24))))
    with Person() as person:
        for late in (link, f"{stage.approvals_url}/a/{deployment.id}"):
            page = person.open(late)
            assert (page.status, "This link has ended" in page.text) == (410, True), page.text
