"""The quotas' models, and releases that keep to them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulation.aws.table import Table
from simulation.quotas.buckets import REGISTER, UPDATE, Bucket, Quota
from simulation.quotas.contention import PARTITION, Contention
from simulation.quotas.makespan import ROLLOUT, bound, release, waves_of


class Clock:
    """Seconds that a test sets."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def put(sk: str, text: str = "") -> dict[str, Any]:
    return {"Put": {"Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "text": {"S": text}}}}


def transaction(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(actions)}


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate(clock: Clock) -> None:
    bucket = Bucket(Quota(burst=3, sustained=1), clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.at = 0.9
    assert not bucket.take()
    clock.at = 1.0
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_bucket_never_holds_more_than_its_burst(clock: Clock) -> None:
    bucket = Bucket(Quota(burst=2, sustained=1), clock)
    clock.at = 100
    assert [bucket.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("calls", "seconds"), [(1, 0), (20, 0), (21, 1), (200, 180)])
def test_what_is_above_the_burst_takes_time(calls: int, seconds: float) -> None:
    assert Quota(burst=20, sustained=1).seconds(calls) == seconds


def test_a_transaction_conflicts_with_one_in_flight_that_has_one_of_its_items(clock: Clock) -> None:
    contention = Contention(Table(), clock)
    with contention.writing("transact_write_items", transaction(put("a"), put("b"))) as refused:
        assert refused is None
        with contention.writing("transact_write_items", transaction(put("b"), put("c"))) as other:
            assert isinstance(other, ClientError)
            reasons = other.response["CancellationReasons"]  # type: ignore[typeddict-item]
            assert [reason["Code"] for reason in reasons] == ["TransactionConflict", "None"]
        with contention.writing("update_item", {"Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}}) as single:
            assert isinstance(single, ClientError)
            assert single.response["Error"]["Code"] == "TransactionConflictException"
        with contention.writing("transact_write_items", transaction(put("c"))) as free:
            assert free is None
    with contention.writing("transact_write_items", transaction(put("b"))) as after:
        assert after is None
    assert contention.conflicts == 2


def test_what_a_dead_call_held_is_free_again(clock: Clock) -> None:
    contention = Contention(Table(), clock)
    with pytest.raises(KeyError), contention.writing("transact_write_items", transaction(put("a"))):
        raise KeyError
    with contention.writing("transact_write_items", transaction(put("a"))) as refused:
        assert refused is None


def test_a_partition_takes_so_many_units_a_second_and_a_transaction_pays_twice(clock: Clock) -> None:
    contention = Contention(Table(), clock)
    large = put("a", "x" * 100 * 1024)
    refused = []
    for _ in range(6):
        with contention.writing("transact_write_items", transaction(large)) as one:
            refused.append(one is not None)
    assert refused == [False] * 4 + [True] * 2
    assert contention.units["p"] == 4 * 2 * 101 <= PARTITION.burst
    clock.at = 1.0
    with contention.writing("transact_write_items", transaction(large)) as later:
        assert later is None


@pytest.mark.parametrize(
    ("services", "environments", "seconds"),
    [
        pytest.param(10, 1, ROLLOUT, id="within-the-burst"),
        pytest.param(40, 1, 20 + ROLLOUT, id="registering"),
        pytest.param(200, 1, 5 * (20 + ROLLOUT), id="waves"),
        pytest.param(40, 3, 100 + ROLLOUT, id="environments-share"),
    ],
)
def test_the_bound_is_the_last_start_and_one_rollout_for_each_wave(
    services: int, environments: int, seconds: float
) -> None:
    assert bound(waves_of(services), environments) == seconds


@pytest.mark.parametrize(("services", "waves"), [(3, [3]), (40, [40]), (100, [34, 33, 33]), (200, [40] * 5)])
def test_waves_are_as_few_and_as_equal_as_can_be(services: int, waves: list[int]) -> None:
    assert waves_of(services) == waves


def test_three_services_meet_no_quota() -> None:
    found = release([3])
    assert found.phases == {"Succeeded": 1}
    assert (found.throttled, found.errors) == ({}, {})
    assert found.transitions == 26
    assert found.ratio < 1.2
    assert all(share < 0.5 for share in found.longest.values()), found.longest


def test_a_step_that_finds_no_room_in_lambda_is_tried_again() -> None:
    found = release([3], concurrency=2)
    assert found.phases == {"Succeeded": 1}
    assert found.throttled["Lambda concurrency"] > 0
    assert found.most_running == 2


def test_a_wave_above_the_burst_takes_turns_and_meets_no_quota() -> None:
    found = release([25])
    assert found.phases == {"Succeeded": 1}
    assert REGISTER not in found.throttled
    assert UPDATE not in found.throttled
    assert set(found.errors) == {"UpdateService Paced"}
    assert found.errors["UpdateService Paced"] <= 25 - 18


def test_environments_share_their_turns() -> None:
    found = release([12], environments=3)
    assert found.phases == {"Succeeded": 3}
    assert REGISTER not in found.throttled
    assert found.ratio < 1.25


def test_where_others_use_the_quota_a_release_slows_down_and_succeeds() -> None:
    found = release([20], others_leave={REGISTER: Quota(burst=4, sustained=0.3)})
    assert found.phases == {"Succeeded": 1}
    assert found.throttled[REGISTER] > 0
