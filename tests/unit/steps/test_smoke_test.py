"""Smoke tests: rounds, attempts, verdicts; each run twice, and after a crash."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from ferryman.clients.http_client import Answer, NoAnswer
from ferryman.contracts import SmokeTestInput, SmokeTestOutput
from ferryman.errors import ClaimLost, NotItsTurn, Unavailable
from ferryman.records import (
    AbortRequest,
    CheckResult,
    Deployment,
    EventType,
    Phase,
    PlannedCheck,
    Step,
    StepStatus,
    step_keys,
)
from ferryman.records.writes import Save
from ferryman.steps import smoke_test
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.clock import FakeClock, FakeIds

OK = Answer(200)
DOWN = Answer(503, body=b"no healthy upstream")
EVENT = SmokeTestInput(platform="scr", environment="staging", deployment=make.deployment().id, fence=make.FENCE)
F_API, F_WEB = (step_keys.rollout(name, "forward") for name in make.SERVICES)


def check(name: str = "api", **changes: Any) -> PlannedCheck:
    made = PlannedCheck(
        name=name, url=f"https://{name}.example/health", status=[200], attempts=3, delay_seconds=10, timeout_seconds=5
    )  # fmt: skip
    return made.but(**changes)


class Servers:
    """Answers by URL: each one a list that is used up from the left, its last item for ever."""

    def __init__(self, **answers: list[Answer | Exception]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, url: str, headers: Mapping[str, str], allow_http: bool, timeout: float) -> Answer:
        name = url.removeprefix("https://").split(".")[0]
        self.asked.append(name)
        left = self.answers[name]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


Run = Callable[[Servers], SmokeTestOutput]


@pytest.fixture
def run(store: Store, clock: FakeClock, new_id: FakeIds) -> Run:
    def once(servers: Servers) -> SmokeTestOutput:
        return smoke_test.run(EVENT, store=store, fetch=servers, clock=clock, new_id=new_id)

    return once


def given(store: Store, *checks: PlannedCheck, **changes: Any) -> None:
    before = {"steps": make.passed(upto=F_WEB), **changes}
    deployment = make.deployment(plan=make.plan(checks=list(checks)), **before)
    store.write(Save(deployment.but(rev=0)), Save(make.state().but(rev=0)))


def recorded(store: Store) -> Step:
    step = store.deployment("scr", "staging", EVENT.deployment).step(step_keys.SMOKE_TEST)
    assert step is not None
    return step


def rounds(run: Run, servers: Servers, clock: FakeClock) -> Iterator[SmokeTestOutput]:
    """Do as the state machine does: wait as long as told, and call again."""
    for _ in range(50):
        output = run(servers)
        yield output
        if output.verdict != "Waiting":
            return
        clock.forward(seconds=output.retry_after_seconds)
    raise AssertionError("it never ended")


def test_passes_at_once(store: Store, run: Run) -> None:
    given(store, check("api"), check("web"))
    assert run(Servers(api=[OK], web=[OK])).verdict == "Succeeded"
    step = recorded(store)
    assert step.status is StepStatus.SUCCEEDED
    assert step.message == "2 checks passed"
    assert [(result.name, result.passed, result.attempt) for result in step.checks] == [
        ("api", True, 1),
        ("web", True, 1),
    ]
    types = [event.type for event in store.timeline(EVENT.deployment)]
    assert types == [EventType.STEP_STARTED, EventType.STEP_ENDED]


def test_waits_for_a_slow_start_and_leaves_alone_what_has_passed(store: Store, run: Run, clock: FakeClock) -> None:
    given(store, check("api"), check("web"))
    servers = Servers(api=[OK, DOWN], web=[DOWN, NoAnswer("web did not answer in time"), OK])
    outputs = list(rounds(run, servers, clock))
    assert [output.verdict for output in outputs] == ["Waiting", "Waiting", "Succeeded"]
    assert outputs[0].retry_after_seconds == 10
    assert sorted(servers.asked) == ["api", "web", "web", "web"]
    assert [result.attempt for result in recorded(store).checks] == [1, 3]


def test_fails_when_the_attempts_are_used_up_and_says_expected_and_got(
    store: Store, run: Run, clock: FakeClock
) -> None:
    given(store, check("api"), check("web", expect_json={"version": "abc1234"}))
    old = Answer(200, body=b'{"version": "old"}')
    outputs = list(rounds(run, Servers(api=[OK], web=[old]), clock))
    assert [output.verdict for output in outputs] == ["Waiting", "Waiting", "Failed"]
    step = recorded(store)
    assert (step.status, step.reason) == (StepStatus.FAILED, "CheckFailed")
    for part in ("1 of 2 checks failed", "web failed 3 of 3 attempts", "GET https://web.example/health",
                 'expected JSON field version to be "abc1234", got "old"', "body: “{"):  # fmt: skip
        assert part in step.message


def test_one_that_is_lost_ends_the_wait_for_the_others(store: Store, run: Run, clock: FakeClock) -> None:
    given(store, check("api", attempts=1), check("web", attempts=100))
    assert [o.verdict for o in rounds(run, Servers(api=[DOWN], web=[DOWN]), clock)] == ["Failed"]


def test_each_check_keeps_its_own_delay(store: Store, run: Run, clock: FakeClock) -> None:
    given(store, check("api", delay_seconds=5, attempts=9), check("web", delay_seconds=20, attempts=2))
    servers = Servers(api=[DOWN], web=[DOWN])
    outputs = list(rounds(run, servers, clock))
    assert [output.retry_after_seconds for output in outputs] == [5, 5, 5, 5, 0]
    assert servers.asked.count("web") == 2


def test_a_round_that_comes_early_asks_what_is_due_first(store: Store, run: Run, clock: FakeClock) -> None:
    given(store, check("api", delay_seconds=5), check("web", delay_seconds=20))
    servers = Servers(api=[DOWN], web=[DOWN])
    run(servers)
    run(servers)
    assert servers.asked.count("api") == 2
    assert servers.asked.count("web") == 1


def test_no_checks_is_skipped(store: Store, run: Run) -> None:
    given(store)
    assert run(Servers()) == SmokeTestOutput(verdict="Skipped", reason="NoChecks")
    assert recorded(store).status is StepStatus.SKIPPED


ZERO = make.rollout(make.SERVICES[0], "Skipped", reason="ScaledToZero")
ALREADY = make.rollout(make.SERVICES[0], "Skipped", reason="AlreadyRunning")
IDLE = [
    pytest.param({F_API: ZERO, F_WEB: ZERO}, "Skipped", id="all-at-zero"),
    pytest.param(
        {F_API: ZERO, F_WEB: make.rollout("scr-web", "Skipped", reason="NotInRelease")}, "Skipped", id="none-runs"
    ),
    pytest.param({F_API: ZERO, F_WEB: make.rollout("scr-web")}, "Succeeded", id="one-runs"),
    pytest.param({F_API: ZERO, F_WEB: ALREADY}, "Succeeded", id="one-ran-it-already"),
]


@pytest.mark.parametrize(("rollouts", "verdict"), IDLE)
def test_nothing_runs_nothing_verified(store: Store, run: Run, rollouts: dict[str, Step], verdict: str) -> None:
    given(store, check("api"), steps={**make.passed(upto=step_keys.MIGRATION), **rollouts})
    output = run(Servers(api=[OK]))
    assert output.verdict == verdict
    assert (output.reason == "ScaledToZero") is (verdict == "Skipped")


ABORT = AbortRequest(reason="wrong release", who="anna", at=make.AT)


def test_abort_is_looked_at_first(store: Store, run: Run) -> None:
    given(store, check("api"), abort=ABORT)
    servers = Servers(api=[OK])
    assert run(servers).verdict == "Aborted"
    assert servers.asked == []
    assert "anna requested an abort: wrong release" in recorded(store).message


def test_abort_between_rounds(store: Store, run: Run) -> None:
    given(store, check("api"))
    assert run(Servers(api=[DOWN])).verdict == "Waiting"
    store.write(Save(store.deployment("scr", "staging", EVENT.deployment).but(abort=ABORT)))
    assert run(Servers(api=[OK])).verdict == "Aborted"


def test_abort_during_a_round_ends_it(store: Store, run: Run) -> None:
    given(store, check("api"))

    class Aborting(Servers):
        def __call__(self, *arguments: Any) -> Answer:
            store.write(Save(store.deployment("scr", "staging", EVENT.deployment).but(abort=ABORT)))
            return DOWN

    assert run(Aborting()).verdict == "Aborted"


@pytest.mark.parametrize("answer", [OK, DOWN], ids=["passed", "failed"])
def test_a_recorded_verdict_stands(store: Store, run: Run, answer: Answer) -> None:
    given(store, check("api", attempts=1))
    first = run(Servers(api=[answer]))
    events = len(store.timeline(EVENT.deployment))
    again = Servers(api=[Answer(500)])
    assert run(again) == first
    assert again.asked == []
    assert len(store.timeline(EVENT.deployment)) == events


def test_a_crash_before_the_record_is_no_attempt(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    given(store, check("api", attempts=2))
    with monkeypatch.context() as patch:
        patch.setattr(smoke_test.step_writer, "amend", raising(Unavailable("the table does not answer")))
        with pytest.raises(Unavailable):
            run(Servers(api=[DOWN]))
    assert recorded(store).checks == []
    assert run(Servers(api=[DOWN])).verdict == "Waiting"
    assert recorded(store).checks[0].attempt == 1


def test_a_crash_before_the_verdict_is_made_good_without_asking_again(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(store, check("api", attempts=1))
    with monkeypatch.context() as patch:
        patch.setattr(smoke_test.step_writer, "end", raising(Unavailable("the response was lost")))
        with pytest.raises(Unavailable):
            run(Servers(api=[OK]))
    again = Servers(api=[DOWN])
    assert run(again).verdict == "Succeeded"
    assert again.asked == []


def raising(error: Exception) -> Callable[..., Any]:
    def function(*arguments: Any, **named: Any) -> Any:
        raise error

    return function


def test_two_rounds_side_by_side_count_once(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    given(store, check("api", attempts=2))

    def outer(*arguments: Any) -> Answer:
        # While the first Lambda waits for its answer, a second one runs the same round.
        smoke_test.run(EVENT, store=store, fetch=Servers(api=[DOWN]), clock=clock, new_id=new_id)
        return DOWN

    output = smoke_test.run(EVENT, store=store, fetch=outer, clock=clock, new_id=new_id)
    assert output.verdict == "Waiting"
    assert recorded(store).checks[0].attempt == 1


def test_a_lost_claim_stops_it(store: Store, run: Run) -> None:
    given(store, check("api"))
    state = store.state("scr", "staging")
    store.write(Save(state.but(active=None)))
    with pytest.raises(ClaimLost):
        run(Servers(api=[OK]))


def test_checks_go_side_by_side(store: Store, clock: FakeClock, new_id: FakeIds) -> None:
    given(store, *(check(f"c{number}") for number in range(8)))
    together = threading.Barrier(8, timeout=5)

    def meet(*arguments: Any) -> Answer:
        together.wait()
        return OK

    assert smoke_test.run(EVENT, store=store, fetch=meet, clock=clock, new_id=new_id).verdict == "Succeeded"


def test_one_that_never_comes_back_fails_its_attempt(
    store: Store, clock: FakeClock, new_id: FakeIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_test, "_LATE_SECONDS", -4.9)
    given(store, check("api"))
    never = threading.Event()

    def hang(*arguments: Any) -> Answer:
        never.wait(10)
        return OK

    output = smoke_test.run(EVENT, store=store, fetch=hang, clock=clock, new_id=new_id)
    never.set()
    assert output.verdict == "Waiting"
    assert recorded(store).checks[0].detail == "did not answer within 5 s"


def test_no_credentials_in_records(store: Store, run: Run) -> None:
    given(store, check("api", url="https://api.example/x", attempts=1))
    secret = check("web", url="https://u:hunter2@web.example/", attempts=1)
    result = smoke_test.attempt(secret, 1, raising(NoAnswer("holds a user or password")))
    assert result.url == "https://web.example/"
    assert "hunter2" not in result.model_dump_json()


def result(name: str = "api", attempt: int = 1, passed: bool = False) -> CheckResult:
    return CheckResult(name=name, url="https://x", attempt=attempt, passed=passed, detail="", at=make.AT)


MERGES = [
    pytest.param([], [result()], [result()], id="first"),
    pytest.param([result()], [result(attempt=2)], [result(attempt=2)], id="next"),
    pytest.param([result(attempt=2)], [result(attempt=2)], [result(attempt=2)], id="twice"),
    pytest.param([result(attempt=2)], [result(attempt=1)], [result(attempt=2)], id="late"),
    pytest.param([result(passed=True)], [result(attempt=2)], [result(passed=True)], id="a-pass-stays"),
    pytest.param([result(attempt=2)], [result(passed=True)], [result(attempt=2, passed=True)], id="a-late-pass-counts"),
]


@pytest.mark.parametrize(("before", "asked", "after"), MERGES)
def test_merge(before: list[CheckResult], asked: list[CheckResult], after: list[CheckResult]) -> None:
    assert smoke_test.merge([check()], before, asked) == after


def test_waiting_is_told_in_whole_seconds_and_never_zero() -> None:
    now = make.AT + timedelta(seconds=9.2)
    assert smoke_test.judge([check()], [result()], now).retry_after_seconds == 1
    assert smoke_test.judge([check()], [result()], make.AT + timedelta(seconds=60)).retry_after_seconds == 1


def test_without_a_plan_it_says_so(store: Store, run: Run) -> None:
    from ferryman.errors import NotFound

    store.write(Save(Deployment.model_validate(make.deployment(plan=None).dump()).but(rev=0)))
    with pytest.raises(NotFound, match="begin_deployment"):
        run(Servers())


@pytest.mark.parametrize("phase", [Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK])
@pytest.mark.parametrize("began", [False, True])
def test_what_is_not_approved_or_goes_back_is_not_checked(store: Store, run: Run, phase: Phase, began: bool) -> None:
    steps = make.passed(upto=F_WEB) | ({step_keys.SMOKE_TEST: make.step("Running")} if began else {})
    given(store, check(), phase=phase, steps=steps)
    servers = Servers(api=[OK])
    with pytest.raises(NotItsTurn):
        run(servers)
    assert servers.asked == []
