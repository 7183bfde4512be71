"""Overlaps between what documents claim and what others own; what was so before an update."""

import pytest

from ferryman.decisions import ownership
from ferryman.platform import claims
from ferryman.platform.claims import Claim, Claims, Part
from ferryman.records import Ownership, limits, things
from unit import builders as make

API = things.service("prod", "api")


def owned(platform: str, environment: str, *names: str, **more: object) -> Ownership:
    return Ownership.model_validate(
        {"platform": platform, "environment": environment, "generation": 1, "things": names, "at": make.AT, **more}
    )


def part(*names: str, complete: bool = True) -> Part:
    return Part(tuple(Claim(thing, f"at.{number}") for number, thing in enumerate(names)), complete)


def test_nobody_s_things_are_free() -> None:
    records = [owned("scr", "production", API)]
    assert ownership.overlaps("shop", Claims({"live": part(things.service("prod", "web"))}), records) == []


def test_one_s_own_things_stay_one_s_own_when_an_environment_is_renamed() -> None:
    records = [owned("scr", "production", API)]
    assert ownership.overlaps("scr", Claims({"live": part(API)}), records) == []


def test_two_environments_of_one_document_can_t_have_one_thing() -> None:
    (found,) = ownership.overlaps("scr", Claims({"staging": part(API), "production": part(API)}), [])
    assert (found.environment, found.owner, found.known) == ("production", ("scr", "staging"), False)


def test_one_thing_named_twice_in_an_environment_is_told_once() -> None:
    records = [owned("scr", "production", API)]
    assert len(ownership.overlaps("shop", Claims({"live": part(API, API)}), records)) == 1


@pytest.mark.parametrize(
    ("theirs", "ours"), [("service:?/api", API), (API, "service:?/api"), ("service:?/api", "service:?/api")]
)
def test_a_service_whose_cluster_can_t_be_read_may_be_any_of_its_name(theirs: str, ours: str) -> None:
    records = [owned("scr", "production", theirs)]
    assert len(ownership.overlaps("shop", Claims({"live": part(ours)}), records)) == 1


def test_what_a_reference_named_later_is_owned_too() -> None:
    records = [owned("scr", "production", later=[API])]
    assert len(ownership.overlaps("shop", Claims({"live": part(API)}), records)) == 1


def test_a_deployment_may_touch_what_its_environment_has_though_another_has_it_too() -> None:
    records = [owned("scr", "production", API), owned("shop", "live", API)]
    assert ownership.elsewhere("shop", "live", part(API), records) == []


@pytest.mark.parametrize("owner", [("scr", "production"), ("shop", "staging")])
def test_a_deployment_may_not_touch_what_only_another_environment_has(owner: tuple[str, str]) -> None:
    records = [owned(*owner, API), owned("shop", "live")]
    ((path, text),) = ownership.elsewhere("shop", "live", part(API), records)
    assert path == "at.0"
    assert f"belongs to environment {owner[1]} of" in text


def test_what_is_new_and_free_is_added_and_what_was_added_before_stays() -> None:
    record = owned("scr", "production", API, later=["family:b"])
    assert ownership.with_later(record, part(API)) is None
    assert ownership.with_later(record, part("family:b")) is None
    after = ownership.with_later(record, part(API, "family:c"))
    assert after is not None
    assert (after.things, after.later) == ([API], ["family:c", "family:b"])
    many = ownership.with_later(record, part(*(f"family:{number}" for number in range(3_000))))
    assert many is not None
    assert len(many.later) == limits.COUNTS["Ownership.later"]


def test_records_of_removed_environments_go_and_what_aws_could_not_tell_is_kept() -> None:
    before = [owned("scr", "production", API, rev=4), owned("scr", "old", rev=2), owned("shop", "old")]
    found = Claims({"production": part("family:a", complete=False)}, tags={"production": ("live",)})
    made, gone = ownership.records_of("scr", found, 7, before, make.AT)
    assert [(one.environment, one.rev, one.generation) for one in made] == [("production", 4, 7), ("", 0, 7)]
    assert (made[0].things, made[0].tags, made[0].complete) == (["family:a", API], ["live"], False)
    assert [(one.platform, one.environment) for one in gone] == [("scr", "old")]


def test_both_sides_hear_of_what_is_owned_twice() -> None:
    records = [
        owned("scr", "production", API, tags=["live"]),
        owned("scr", "", "topic:t", repositories=["api"]),
        owned("shop", "live", API, tags=["live"]),
        owned("shop", "", "topic:t", repositories=["api", "web"]),
    ]
    found = ownership.owned_twice(records)
    assert {key: len(texts) for key, texts in found.items()} == {
        ("scr", "production"): 2, ("scr", ""): 1, ("shop", "live"): 2, ("shop", ""): 1
    }  # fmt: skip
    assert ownership.owned_twice(records[:2]) == {}


ROLE = "arn:aws:iam::123456789012:role"


@pytest.mark.parametrize(
    ("role", "owner"),
    [
        (f"{ROLE}/ferryman/shop/live/api-task", ("shop", "live")),
        (f"{ROLE}/ferryman/scr/staging/api-task", ("scr", "staging")),
        (f"{ROLE}/ferryman/shop/jobs", ("shop", "")),
        (f"{ROLE}/ferryman/SCR/Production/api-task", None),
        (f"{ROLE}/ferryman/scr/production/api-task", None),
        (f"{ROLE}/ferryman/scr/jobs", None),
        (f"{ROLE}/api-task", None),
        (f"{ROLE}/teams/ferryman/shop/live/api-task", None),
    ],
)
def test_a_role_below_another_s_path_is_refused_though_nobody_claims_it(
    role: str, owner: tuple[str, str] | None
) -> None:
    placed = claims.placed(role, "at", "api")
    here = Part(placed=(placed,) if placed else ())
    found = ownership.misplaced("scr", "production", here)
    assert found == ownership.elsewhere("scr", "production", here, [])
    if owner is None:
        assert found == []
    else:
        ((path, text),) = found
        assert path == "at"
        assert f"as its path /ferryman/{'/'.join(filter(None, owner))}/ tells" in text
        assert text.endswith("Use one below /ferryman/scr/production/")
