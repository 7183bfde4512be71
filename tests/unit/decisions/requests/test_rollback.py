"""A rollback that a person asks for: where it goes, what it aborts first, and when it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from ferryman.errors import Conflict
from ferryman.records import (
    Deployment,
    EnvironmentState,
    Hold,
    MigrationClaim,
    Phase,
    Request,
    Target,
    step_keys,
)
from unit import builders as make
from unit.api_world import JO, KIM, World
from unit.starting import (
    ACCEPT,
    DOWN,
    ENV,
    FREEZE,
    GONE,
    HOLD,
    ID,
    A,
    B,
    C,
    D,
    ask,
    brings,
    change,
    claim,
    deployment,
    digests,
    lines,
    proven,
    refused,
    running,
    state,
    told,
)


class TestRollback:
    def test_goes_to_the_release_before_and_holds(self, world: World) -> None:
        world.put(running())

        status, body = ask(world, "rollback", reason="checkout fails")

        assert (status, body["changed"], body["version"], body["aborted"]) == (200, True, B, None)
        assert "rolls back to bbb1234 within seconds" in body["message"]
        after = state(world)
        assert after.requested == Request(
            version=B, kind="rollback", reason="checkout fails", who=JO, at=world.clock.at
        )
        assert after.hold == Hold(reason=f"rolled back to {B}: checkout fails", who=JO, at=world.clock.at)
        [event] = world.store.timeline(f"scr#{ENV}")
        assert (str(event.type), event.who, event.detail["digests"]) == ("RollbackRequested", JO, digests(B))
        assert world.outside.nudged == [("scr", ENV)]

    def test_colleagues_hear_of_the_hold(self, world: World) -> None:
        world.put(running())
        ask(world, "rollback", reason="checkout fails")

        on_hold = {message.channel for message in world.store.unsent() if message.event.startswith("hold-")}
        assert on_hold == {"team", "ops-mail"}
        assert all("checkout fails" in message.text for message in world.store.unsent())

    def test_twice_asks_once(self, world: World) -> None:
        world.put(running())
        ask(world, "rollback", reason="checkout fails")
        before = state(world)
        status, body = ask(world, "rollback", who=KIM, reason="me too")

        assert (status, body["changed"], state(world)) == (200, False, before)
        assert lines(world) == [("RollbackRequested", JO)]

    def test_again_after_somebody_lifted_the_hold_holds_again(self, world: World) -> None:
        world.put(running())
        ask(world, "rollback", reason="checkout fails")
        world.store.update_state("scr", ENV, lambda before: before.but(hold=None))

        assert ask(world, "rollback", reason="checkout fails")[1]["changed"] is True
        assert state(world).hold is not None

    def test_passes_a_freeze_and_says_so(self, world: World) -> None:
        world.put(running(freeze=FREEZE))

        status, body = ask(world, "rollback", reason="checkout fails")

        assert (status, "the freeze does not apply to rollbacks" in body["message"]) == (200, True)
        assert state(world).freeze == FREEZE

    def test_keeps_what_a_hold_said_before(self, world: World) -> None:
        world.put(running(hold=HOLD))
        ask(world, "rollback", reason="checkout fails")
        hold = state(world).hold

        assert hold is not None
        assert hold.reason == f"rolled back to {B}: checkout fails (previously put on hold by kim: load test)"

    def test_takes_the_place_of_another_wish(self, world: World) -> None:
        wish = Request(version=D, kind="deploy", reason="", who=KIM, at=make.AT)
        world.put(running(requested=wish))

        assert f"instead of the deploy of {D}" in ask(world, "rollback", reason="x")[1]["message"]

    @pytest.mark.parametrize("how", ["proof", "history", "before-us"])
    def test_to_what_ran_here_at_some_time(self, world: World, how: str) -> None:
        world.put(running())
        if how == "proof":
            proven(world, A)
        else:
            first = {"version": A} if how == "history" else {"version": B, "from_version": A}
            world.put(deployment(phase=Phase.SUCCEEDED).but(**first))

        status, body = ask(world, "rollback", to=A, reason="x")

        assert (status, body.get("version")) == (200, A), body

    def test_to_a_semver_name(self, world: World) -> None:
        known = world.store.release("scr", B)
        assert known is not None
        world.put(known.but(names=["v1.2.0"]), running())

        assert ask(world, "rollback", to="v1.2.0", reason="x")[1]["version"] == B

    def test_with_approvers_for_rollbacks(self, world: World) -> None:
        approval = world.store.platform("scr").document["spec"]["environments"][ENV]["approval"]
        change(world, approval={**approval, "forRollback": True})
        world.put(running())

        assert "Ada Lovelace, Grace Hopper will be asked" in ask(world, "rollback", reason="x")[1]["message"]

    @pytest.mark.parametrize(
        ("standing", "body", "words"),
        [
            pytest.param({}, {"confirm": ""}, "--confirm production", id="not-confirmed"),
            pytest.param({}, {"confirm": "Production"}, "typing production", id="confirmed-otherwise"),
            pytest.param({"previous": None}, {}, "name a release with `--release`", id="nothing-before"),
            pytest.param(
                {"previous": Target(version=None, deployment=None)}, {}, "is not a release", id="unknown-before"
            ),
            pytest.param(
                {"previous": Target(version="0000000", deployment=None)}, {}, "no longer known", id="gone-before"
            ),
            pytest.param({}, {"to": C}, "ferryman redeploy production", id="runs-already"),
            pytest.param({}, {"to": D}, "newer than ccc1234", id="newer"),
            pytest.param({}, {"to": A}, "never run successfully in production", id="never-ran"),
            pytest.param({}, {"revision": "001"}, "--downgrade", id="revision-without-downgrade"),
            pytest.param({}, {"downgrade": True}, "--revision", id="nobody-knows-where-to"),
        ],
    )
    def test_is_refused(self, world: World, standing: dict[str, Any], body: dict[str, Any], words: str) -> None:
        world.put(running(**standing))
        if body.get("to") == A:
            world.put(deployment(A, Phase.ROLLED_BACK))

        refused(world, ask(world, "rollback", **{"reason": "x", **body}), words, state(world))

    @pytest.mark.parametrize(
        "body",
        [
            {"reason": ""},
            {"reason": "x", "revision": "$(reboot)"},
            {"reason": "x", "revision": "a b"},
            {"reason": "x", "to": ""},
            {"reason": "x", "typo": 1},
        ],
    )
    def test_bodies_that_do_not_fit(self, world: World, body: dict[str, Any]) -> None:
        world.put(running())

        assert ask(world, "rollback", **body)[0] == 422
        assert state(world).requested is None

    def test_to_an_unknown_release(self, world: World) -> None:
        world.put(running())

        assert ask(world, "rollback", to="0000000", reason="x")[0] == 404

    def test_to_a_tag_that_is_no_release_says_why(self, world: World) -> None:
        world.put(running())

        status, answer = ask(world, "rollback", to="sha-0000000", reason="x")
        assert (status, "sha-0000000 does not match tagPattern" in answer["error"]["message"]) == (404, True)

    @pytest.mark.parametrize("record", ["state", "timeline"])
    def test_is_one_write(self, world: World, record: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Wish, hold, timeline and messages stand together, or none of them does."""
        world.put(running())
        written: list[int] = []
        real = world.store.write

        def write(*writes: Any) -> None:
            written.append(len(writes))
            real(*writes)

        monkeypatch.setattr(world.store, "write", write)
        ask(world, "rollback", reason="x")

        assert written == [8]  # with a message to two approvers and two channels

    def test_keeps_what_was_said_before_an_earlier_rollback(self, world: World) -> None:
        """Lifting the hold of the second rollback lifts all that stands behind it."""
        said = f"rolled back to {C}: slow (previously put on hold by kim: load test)"
        world.put(running(hold=Hold(reason=said, who=KIM, at=make.AT)))
        ask(world, "rollback", reason="checkout fails")
        hold = state(world).hold

        assert hold is not None
        assert hold.reason == f"rolled back to {B}: checkout fails (previously put on hold by kim: {said})"


class TestRollbackOfWhatIsUnderWay:
    def put(self, world: World, phase: Phase = Phase.RUNNING, version: str = D, **changes: Any) -> None:
        world.put(running(active=claim(version)), deployment(version, phase, **changes))

    def found(self, world: World) -> Deployment:
        return world.store.deployment("scr", ENV, ID)

    @pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RUNNING])
    def test_is_aborted_first_and_what_it_started_from_comes_back(self, world: World, phase: Phase) -> None:
        self.put(world, phase)

        status, body = ask(world, "rollback", reason="checkout fails")

        assert (status, body["version"], body["aborted"]) == (200, C, ID)
        assert f"deployment {ID} of {D} is aborted, then production rolls back to {C}" in body["message"]
        abort = self.found(world).abort
        assert abort is not None
        assert (abort.who, abort.reason, abort.at) == (JO, "rollback: checkout fails", world.clock.at)
        assert world.timeline(ID) == [("AbortRequested", JO)]
        assert (world.outside.woken, world.outside.nudged) == ([("scr", ENV, ID)], [("scr", ENV)])
        wish = state(world).requested
        assert wish is not None
        assert (wish.kind, wish.version) == ("rollback", C)

    def test_to_another_release(self, world: World) -> None:
        self.put(world)

        assert ask(world, "rollback", to=B, reason="x")[1]["version"] == B
        assert self.found(world).abort is not None

    def test_twice_aborts_once(self, world: World) -> None:
        self.put(world)
        ask(world, "rollback", reason="x")
        rev = self.found(world).rev

        assert ask(world, "rollback", reason="x")[1]["changed"] is False
        assert self.found(world).rev == rev

    def test_what_goes_back_already_is_left_to_it(self, world: World) -> None:
        self.put(world, Phase.ROLLING_BACK)

        _, body = ask(world, "rollback", reason="x")

        assert (body["version"], body["aborted"], self.found(world).abort) == (C, None, None)
        assert f"once deployment {ID} has ended" in body["message"]

    def test_a_database_command_is_left_to_its_end(self, world: World) -> None:
        self.put(world, version=C, kind="migrate", command="up")

        _, body = ask(world, "rollback", reason="x")

        assert (body["version"], body["aborted"], self.found(world).abort) == (B, None, None)

    def test_what_waits_for_approval_is_withdrawn_not_aborted(self, world: World) -> None:
        waiting = {step_keys.APPROVAL: make.step("Running")}
        self.put(world, Phase.AWAITING_APPROVAL, steps=waiting)

        _, body = ask(world, "rollback", reason="x")

        assert (body["version"], body["aborted"], self.found(world).abort) == (B, None, None)
        assert f"{D}, which is waiting for approval, is withdrawn" in body["message"]

    def test_what_was_just_approved_is_aborted(self, world: World) -> None:
        approved = {step_keys.APPROVAL: make.step("Succeeded", "Approved")}
        self.put(world, Phase.AWAITING_APPROVAL, steps=approved)

        assert ask(world, "rollback", reason="x")[1]["aborted"] == ID

    def test_an_approval_that_comes_meanwhile_is_aborted(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """It was read as waiting; somebody approved before it could be written: all is decided again."""
        self.put(world, Phase.AWAITING_APPROVAL, steps={step_keys.APPROVAL: make.step("Running")})
        read = world.store.deployment

        def read_then_approve(*args: Any) -> Deployment:
            monkeypatch.undo()
            before = read(*args)
            world.put(before.but(steps={step_keys.APPROVAL: make.step("Succeeded", "Approved")}))
            return before

        monkeypatch.setattr(world.store, "deployment", read_then_approve)
        _, body = ask(world, "rollback", reason="x")

        assert body["aborted"] == ID
        assert self.found(world).abort is not None

    def test_that_ends_meanwhile(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """D succeeds between reading and writing: what was to be aborted runs, and the one before it is C."""
        self.put(world)
        read = world.store.deployment

        def read_then_finish(*args: Any) -> Deployment:
            monkeypatch.undo()
            before = read(*args)
            world.put(before.but(phase=Phase.SUCCEEDED), running(D, C, rev=state(world).rev))
            return before

        monkeypatch.setattr(world.store, "deployment", read_then_finish)
        _, body = ask(world, "rollback", reason="x")

        assert (body["version"], body["aborted"], self.found(world).abort) == (C, None, None)

    def test_that_ended_is_not_aborted(self, world: World) -> None:
        world.put(running(D, C, active=claim()), deployment(phase=Phase.SUCCEEDED))

        _, body = ask(world, "rollback", reason="x")

        assert (body["version"], body["aborted"]) == (C, None)

    def test_a_way_back_to_it_is_under_way(self, world: World) -> None:
        self.put(world, version=B, kind="rollback")

        refused(world, ask(world, "rollback", to=B, reason="x"), "ferryman watch production", state(world))

    def test_holds_even_when_nobody_can_be_woken(self, world: World) -> None:
        self.put(world)
        world.outside.down = True

        assert ask(world, "rollback", reason="x")[0] == 200
        assert self.found(world).abort is not None

    def test_a_crash_before_the_write_leaves_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put(world)

        def conflict(*writes: Any) -> None:
            raise Conflict("somebody else wrote first")

        before = state(world)
        with monkeypatch.context() as patch:
            patch.setattr("time.sleep", lambda _: None)
            patch.setattr(world.store, "write", conflict)
            assert ask(world, "rollback", reason="x")[0] == 409
        assert (state(world), self.found(world).abort, world.outside.woken) == (before, None, [])


class TestSchema:
    @pytest.mark.parametrize(
        ("labels", "body", "words"),
        [
            pytest.param(
                {"b": told("1"), "c": told("1,2")}, {}, "migrations since then: 2, all rollback-safe", id="safe"
            ),
            pytest.param(
                {"b": told("1,2"), "c": told("1,2", "2")}, {}, "there are no migrations in between", id="none-between"
            ),
            pytest.param({}, {}, "images do not list their migrations", id="no-labels-anywhere"),
            pytest.param(
                {"b": told("1"), "c": told("1,2", "2")}, ACCEPT, "2 is not rollback-safe", id="unsafe-accepted"
            ),
            pytest.param(
                {"b": GONE, "c": told("1")}, ACCEPT, "it is unknown which migrations", id="unreadable-accepted"
            ),
        ],
    )
    def test_lets_it_go(self, world: World, labels: Any, body: dict[str, Any], words: str) -> None:
        world.put(running())
        brings(world, **labels)

        status, answer = ask(world, "rollback", reason="x", **body)

        assert (status, words in answer["message"]) == (200, True), answer

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            pytest.param({"b": told("1"), "c": told("1,2", "2")}, "not rollback-safe: 2", id="unsafe"),
            pytest.param({"b": told(None), "c": told("1,2", "2")}, "does not say whether", id="target-silent"),
            pytest.param({"b": told("1"), "c": told(None)}, "does not list its migrations", id="running-silent"),
            pytest.param({"b": told("1"), "c": GONE}, "the image is gone", id="unreadable"),
        ],
    )
    def test_stops_it_and_says_what_to_do(self, world: World, labels: Any, words: str) -> None:
        world.put(running())
        brings(world, **labels)

        answer = ask(world, "rollback", reason="x")

        assert "--accept-schema-mismatch" in answer[1]["error"]["message"]
        assert "--downgrade" in answer[1]["error"]["message"]
        refused(world, answer, words, state(world))

    @pytest.mark.parametrize(
        ("body", "revision"),
        [pytest.param({}, "1b", id="the-last-one-it-knows"), pytest.param({"revision": "1a"}, "1a", id="named")],
    )
    def test_a_downgrade_goes_first(self, world: World, body: dict[str, Any], revision: str) -> None:
        world.put(running())
        brings(world, b=told("1a,1b"), c=told("1a,1b,2", "2"))

        status, answer = ask(world, "rollback", reason="x", **DOWN, **body)

        assert (status, f"downgraded to {revision} first" in answer["message"]) == (200, True), answer
        wish = state(world).requested
        assert wish is not None
        assert (wish.command, wish.revision) == ("down", revision)

    def test_no_downgrade_without_a_command(self, world: World) -> None:
        migration = world.store.platform("scr").document["spec"]["environments"][ENV]["migration"]
        change(world, migration={name: value for name, value in migration.items() if name != "downgrade"})
        world.put(running())
        brings(world, b=told("1"), c=told("1,2", "2"))

        refused(world, ask(world, "rollback", reason="x", **DOWN), "migration.downgrade", state(world))

    def test_is_nobodys_business_without_a_database(self, world: World) -> None:
        change(world, migration=None)
        world.put(running())
        brings(world, b=GONE, c=GONE)

        assert ask(world, "rollback", reason="x")[0] == 200
        assert world.outside.looked_at == []

    def migrated(self, world: World, version: str, status: Any = "Succeeded") -> None:
        world.put(
            MigrationClaim(
                platform="scr",
                environment=ENV,
                version=version,
                attempt=1,
                deployment="x",
                status=status,
                task_definition="td",
                client_token="t",
                at=make.AT + timedelta(hours="abcd".index(version[0])),
            )
        )

    def test_counts_what_a_release_that_was_left_did_to_the_database(self, world: World) -> None:
        """D migrated, failed and went back to C by itself: its migrations are still there."""
        for version in (C, D):
            self.migrated(world, version)
        world.put(running())
        brings(world, b=told("1"), c=told("1"), d=told("1,2", "2"))

        refused(world, ask(world, "rollback", reason="x"), "not rollback-safe: 2", state(world))

    @pytest.mark.parametrize("status", ["Claimed", "Running", "Succeeded", "Unknown"])
    def test_counts_what_is_migrating_now(self, world: World, status: str) -> None:
        self.migrated(world, C)
        self.migrated(world, D, status)
        world.put(running(active=claim()), deployment())
        brings(world, c=told("1"), d=told("1,2", "2"))

        refused(world, ask(world, "rollback", reason="x"), "not rollback-safe: 2", state(world))

    def test_each_image_is_read_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """However often it is decided anew."""
        world.put(running())
        brings(world, b=told("1"), c=told("1"))
        read = world.store.state

        def read_then_change(*args: Any) -> EnvironmentState:
            monkeypatch.undo()
            before = read(*args)
            world.put(before.but(tagged="x"))
            return before

        monkeypatch.setattr(world.store, "state", read_then_change)

        assert ask(world, "rollback", reason="x")[0] == 200
        assert sorted(world.outside.looked_at) == sorted([make.digest("b"), make.digest("c")])
