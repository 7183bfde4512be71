"""Records of documents that were applied before there were any."""

from typing import Any

import pytest

from ferryman.clients.aws_errors import Refusal
from ferryman.platform import Platform, parse
from ferryman.platform.claims import Claim, Claims, Part, of_document
from ferryman.records import AppliedPlatform
from ferryman.records.writes import Save
from ferryman.steps import ownership_records
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock


def claims_of(document: Platform) -> Claims:
    found = of_document(document)
    parts = {name: Part((Claim(f"service:{document.name}/{name}", ""),)) for name in document.spec.environments}
    return Claims(parts, tags=found.tags, repositories=found.repositories)


@pytest.fixture
def applied(store: Store, scr_document: dict[str, Any]) -> list[str]:
    names = ["scr", "shop", "blog"]
    for name in names:
        document = {**scr_document, "metadata": {"name": name}}
        store.write(
            Save(AppliedPlatform(name=name, generation=3, document=document, applied_by="jo", applied_at=make.AT))
        )
    return names


def owners(store: Store) -> list[str]:
    return sorted({item.platform for item in store.ownerships()})


def test_they_are_made_in_steps_that_can_stop_and_go_on(store: Store, clock: FakeClock, applied: list[str]) -> None:
    assert ownership_records.make_missing(store, claims_of, clock, most=2) == 1
    assert len(owners(store)) == 2
    assert ownership_records.make_missing(store, claims_of, clock, most=2) == 0
    assert owners(store) == sorted(applied)
    revisions = [item.rev for item in store.ownerships()]
    assert ownership_records.make_missing(store, claims_of, clock, most=2) == 0
    assert [item.rev for item in store.ownerships()] == revisions, "nothing is written again"


def test_records_of_an_older_document_are_made_again(store: Store, clock: FakeClock, applied: list[str]) -> None:
    ownership_records.make_missing(store, claims_of, clock, most=9)
    before = store.platform("scr")
    del before.document["spec"]["environments"]["production"]
    store.write(Save(before.but(generation=4)))
    ownership_records.make_missing(store, claims_of, clock, most=9)
    found = {(item.environment, item.generation) for item in store.ownerships() if item.platform == "scr"}
    assert found == {("", 4), ("staging", 4)}


def test_a_document_that_is_applied_meanwhile_keeps_its_own_records(
    store: Store, clock: FakeClock, applied: list[str]
) -> None:
    old = store.platform("scr")

    def slow(document: Platform) -> Claims:
        store.write(Save(store.platform("scr").but(generation=4)))
        return claims_of(document)

    ownership_records.make(store, old, slow, clock)
    assert owners(store) == []


def test_what_aws_does_not_tell_is_taken_from_the_text_and_looked_at_again(
    store: Store, clock: FakeClock, applied: list[str], scr_document: dict[str, Any]
) -> None:
    def refuse(document: Platform) -> Claims:
        raise Refusal({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeServices")

    ownership_records.make_missing(store, refuse, clock, most=9)
    production = next(i for i in store.ownerships() if (i.platform, i.environment) == ("scr", "production"))
    assert "service:scr-production/scr-api-production" in production.things
    assert not production.complete
    for _ in applied:
        clock.forward(minutes=5)
        ownership_records.complete(store, claims_of, clock, most=1)
    assert all(item.complete for item in store.ownerships())
    assert parse(store.platform("scr").document)
