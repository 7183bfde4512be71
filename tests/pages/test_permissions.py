"""The website does nothing to the table that its roles, as template.yaml has them, would not let it do."""

import fnmatch
from typing import Any

import pytest

from contract.template import functions, statements
from ferryman.records import Freeze
from ferryman.records.writes import Save
from ferryman.store.table import Store
from pages import proposing
from pages.asking import SHORT
from pages.proposing import propose
from pages.site_world import GRACES, PERSONAL, SHARED, Site, made, pressed
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.dynamodb import TABLE, FakeDynamoDb

IN_TRANSACTIONS = {"Put": "dynamodb:PutItem", "ConditionCheck": "dynamodb:ConditionCheckItem"}


def leading_keys(function: str) -> dict[str, list[str]]:
    return {
        action: found["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for found in statements(functions()[function])
        for action in found["Action"]
        if action.startswith("dynamodb:")
    }


class Guarded:
    """A table behind a role's permissions."""

    def __init__(self, table: FakeDynamoDb, function: str) -> None:
        self._table, self._allowed = table, leading_keys(function)
        self.used: set[str] = set()

    def _check(self, action: str, partition: str) -> None:
        assert any(fnmatch.fnmatchcase(partition, one) for one in self._allowed[action]), (action, partition)
        self.used.add(action)

    def get_item(self, **what: Any) -> Any:
        self._check("dynamodb:GetItem", what["Key"]["pk"]["S"])
        return self._table.get_item(**what)

    def query(self, **what: Any) -> Any:
        assert "IndexName" not in what
        self._check("dynamodb:Query", what["ExpressionAttributeValues"][":pk"]["S"])
        return self._table.query(**what)

    def transact_write_items(self, **what: Any) -> Any:
        for item in what["TransactItems"]:
            ((kind, one),) = item.items()
            self._check(IN_TRANSACTIONS[kind], (one["Item"] if kind == "Put" else one["Key"])["pk"]["S"])
        return self._table.transact_write_items(**what)


@pytest.mark.parametrize("unverified", [False, True])
def test_every_way_through_the_website_is_permitted(
    clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any], unverified: bool
) -> None:
    table = FakeDynamoDb()
    behind = made(Store(table, TABLE), clock, new_id, scr_document)
    guarded = {name: Guarded(table, name) for name in ("DecideApproval", "SlackActions")}
    site, slack = (Site(Store(one, TABLE), clock, new_id) for one in guarded.values())
    behind.store.write(Save(behind.approval.but(required=2, allow_unverified=unverified)))

    statuses = [
        site.get(PERSONAL).status,
        site.get(SHARED).status,
        site.post(SHARED, email="ada@scr-platform.example").status,
        site.post(SHARED, email="nobody@scr-platform.example").status,
        site.post(PERSONAL, decision="approve", version="wrong").status,
        site.post(SHARED, decision="approve", version=SHORT, name="Ada Lovelace").status,
        site.post(PERSONAL, decision="approve", version=SHORT).status,
        site.get("/a/01K0NONE").status,
    ]
    statuses += [site.post(GRACES, decision="approve", version=f"wrong-{number}").status for number in range(21)][-1:]
    frozen = Freeze(reason="x", who="kim", at=make.AT)
    behind.store.write(Save(behind.store.state("scr", "production").but(freeze=frozen)))
    statuses += [site.get(GRACES).status, slack.press(pressed("reject", user="U0GRACE", reason="no")).status]
    statuses += [site.get(path).status for path in (PERSONAL, SHARED, GRACES)]
    assert site.approval.status == "Rejected"
    behind.store.write(Save(behind.approval.but(status="Superseded", superseded_by="deadbee")))
    statuses += [site.get(path).status for path in (PERSONAL, SHARED)]

    decided = 303 if unverified else 403
    assert statuses == [200, 200, 303, 303, 422, decided, 303, 404, 429, 200, 200, 200, 200, 200, 410, 410]
    for name, one in guarded.items():
        # Only a deployment that is stored in parts has any to query.
        assert set(leading_keys(name)) - one.used <= {"dynamodb:Query"}, name


def test_every_way_through_a_proposed_documents_pages_is_permitted(
    clock: FakeClock, new_id: FakeIds, scr_document: dict[str, Any]
) -> None:
    table = FakeDynamoDb()
    behind = propose(made(Store(table, TABLE), clock, new_id, scr_document), scr_document)
    site = Site(Store(Guarded(table, "DecideApproval"), TABLE), clock, new_id)
    waiting = behind.store.proposal("scr", proposing.ID)
    assert waiting is not None

    statuses = [
        site.get(proposing.PERSONAL).status,
        site.get(proposing.SHARED).status,
        site.post(proposing.SHARED, email="ada@scr-platform.example").status,
        site.post(proposing.PERSONAL, decision="approve", version="wrong").status,
        site.post(proposing.PERSONAL, decision="approve", version=waiting.short).status,
        site.get(proposing.PERSONAL).status,
    ]

    assert statuses == [200, 200, 303, 422, 303, 200]
