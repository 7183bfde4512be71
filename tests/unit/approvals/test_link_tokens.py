"""The keys in personal links: unguessable, kept as hashes only, few at a time, and void with the approval."""

import hashlib
import hmac
from typing import Any

import pytest

from ferryman.approvals import link_tokens
from ferryman.records import ApproverRecord, Nonce
from ferryman.records.writes import Save
from unit.approving import ADA, GRACE, ID, World


@pytest.fixture
def world() -> World:
    return World().asked()


def given(world: World, name: str = ADA) -> str:
    plain, hashed = link_tokens.new()
    assert link_tokens.remember(world.store, ID, name, hashed, world.clock())
    return plain


def test_new_ones_are_long_and_differ() -> None:
    made = [link_tokens.new() for _ in range(50)]
    assert len({plain for plain, _ in made}) == 50
    assert all(len(plain) == 43 for plain, _ in made)  # 32 bytes
    assert all(hashed == hashlib.sha256(plain.encode()).hexdigest() for plain, hashed in made)


def test_a_key_opens_for_its_holder(world: World) -> None:
    ada, grace = given(world, ADA), given(world, GRACE)
    assert link_tokens.holder(world.approval, ada) == ADA
    assert link_tokens.holder(world.approval, grace) == GRACE


def test_only_the_hash_is_kept(world: World) -> None:
    plain = given(world)
    assert plain not in str(world.table.items)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda key: "", id="empty"),
        pytest.param(lambda key: key[:-1], id="truncated"),
        pytest.param(lambda key: key + "A", id="prolonged"),
        pytest.param(lambda key: key.swapcase(), id="other-case"),
        pytest.param(lambda key: key * 100, id="very-long"),
        pytest.param(lambda key: key + " " * 500, id="padded"),
        pytest.param(link_tokens.hashed, id="the-hash-itself"),
        pytest.param(lambda key: "\ud800" + key[1:], id="no-utf8"),
        pytest.param(lambda key: key[:-1] + "é", id="no-ascii"),
    ],
)
def test_anything_else_opens_nothing(world: World, change: Any) -> None:
    assert link_tokens.holder(world.approval, change(given(world))) is None


def test_of_another_approval_opens_nothing(world: World) -> None:
    assert link_tokens.holder(World().asked().approval, given(world)) is None


def test_all_are_compared_whichever_fits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [given(world), given(world, GRACE), given(world)]
    compared: list[str] = []

    def compare(kept: str, presented: str) -> bool:
        compared.append(kept)
        return hmac.compare_digest(kept, presented)

    monkeypatch.setattr(link_tokens, "hmac", type("Hmac", (), {"compare_digest": staticmethod(compare)}))
    for key in [*keys, "wrong"]:
        compared.clear()
        link_tokens.holder(world.approval, key)
        assert len(compared) == 3


def test_some_per_approver_work_at_a_time(world: World) -> None:
    other = given(world, GRACE)
    keys = [given(world) for _ in range(link_tokens.KEPT + 2)]
    works = [link_tokens.holder(world.approval, key) for key in keys]
    assert works == [None, None, *[ADA] * link_tokens.KEPT]
    assert link_tokens.holder(world.approval, other) == GRACE


def test_remembering_twice_keeps_one(world: World) -> None:
    for _ in range(2):
        assert link_tokens.remember(world.store, ID, ADA, "ab" * 32, world.clock())
    assert world.approval.nonces == [Nonce(approver=ADA, hash="ab" * 32, at=world.clock.at)]


def test_both_of_two_at_once_are_kept(world: World) -> None:
    world.table.meanwhile = [lambda: given(world, GRACE) and None]
    given(world, ADA)
    assert {nonce.approver for nonce in world.approval.nonces} == {ADA, GRACE}


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda world: world.decide(), id="decided"),
        pytest.param(lambda world: world.end(), id="superseded"),
        pytest.param(lambda world: world.clock.forward(hours=24), id="expired"),
    ],
)
def test_none_is_given_once_it_is_over(world: World, act: Any) -> None:
    act(world)
    assert not link_tokens.remember(world.store, ID, ADA, "ab" * 32, world.clock())
    assert not world.approval.nonces


def test_decided_while_it_is_remembered(world: World) -> None:
    world.table.meanwhile = [lambda: world.decide() and None]
    assert not link_tokens.remember(world.store, ID, ADA, "ab" * 32, world.clock())
    assert world.approval.status == "Approved"


def test_none_for_strangers_and_unknown_approvals(world: World) -> None:
    assert not link_tokens.remember(world.store, ID, "Somebody Else", "ab" * 32, world.clock())
    assert not link_tokens.remember(world.store, "unknown", ADA, "ab" * 32, world.clock())


def test_after_the_decision_the_link_still_tells_who_it_is(world: World) -> None:
    plain = given(world)
    world.decide()
    assert link_tokens.holder(world.approval, plain) == ADA


class TestHidden:
    def test_takes_its_own_keys_out_of_a_text(self, world: World) -> None:
        plain = given(world)
        assert (
            link_tokens.hidden(world.approval, f"see /a/{ID}/{plain}?x=1 please") == f"see /a/{ID}/[hidden]?x=1 please"
        )
        assert plain not in link_tokens.hidden(world.approval, f"key_{plain}-and-more")

    def test_leaves_everything_else(self, world: World) -> None:
        given(world)
        text = f"sha {'3f9c2ab' * 8} and {link_tokens.new()[0]}"
        assert link_tokens.hidden(world.approval, text) == text


def test_fewer_per_approver_work_where_there_are_many(world: World) -> None:
    """The record has room for so many in all."""
    many = [ApproverRecord(name=f"Person {number}", slack=f"U{number:03d}") for number in range(50)]
    world.store.write(Save(world.approval.but(approvers=[*world.approval.approvers, *many][:50])))
    keys = [given(world) for _ in range(12)]
    works = [link_tokens.holder(world.approval, key) for key in keys]
    kept = link_tokens.KEPT_IN_ALL // 50
    assert works == [*[None] * (12 - kept), *[ADA] * kept]
