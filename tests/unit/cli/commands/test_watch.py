"""`ferryman watch`: follows a deployment to its end, as lines, as JSON, on a terminal."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from ferryman.api import serve_api
from ferryman.records import Deployment, Phase, RolloutProgress, SemverName, StepStatus, step_keys
from ferryman_cli import progress
from unit import builders as make
from unit.api_world import World, idle
from unit.cli.function_url import Run, Server

WATCH = ("watch", "staging", "--interval", "0.2", "--timeout", "30s", "-p", "scr")
API, WEB = (step_keys.rollout(name, "forward") for name in make.SERVICES)


def rolling(desired: int, running: int, failed: int = 0, status: str = "Running", **more: Any) -> Any:
    counts = RolloutProgress(service="scr-web", direction="forward", desired=desired, running=running, failed=failed)
    return make.step(status, rollout=counts, **more)


@pytest.fixture
def stages(world: World, server: Server, scr_document: dict[str, Any]) -> list[Deployment]:
    """What each look at the deployment shows: web on its way, there, all done."""
    begun = {**make.passed(upto=API), WEB: rolling(2, 0)}
    return show(
        world, server, scr_document,
        make.deployment(steps=begun),
        make.deployment(steps={**begun, WEB: rolling(2, 1, failed=1)}),
        make.deployment(steps=make.passed(), phase=Phase.SUCCEEDED, message="All is well.", ended_at=make.AT),
    )  # fmt: skip


def show(world: World, server: Server, document: dict[str, Any], *found: Deployment) -> list[Deployment]:
    world.applied(document)
    world.put(make.state(), found[0])

    def becomes(deployment: Deployment) -> Any:
        def write() -> None:
            world.put(deployment.but(rev=world.store.deployment("scr", "staging", deployment.id).rev))
            if deployment.phase.terminal:
                world.put(idle(rev=world.state.rev))

        return write

    server.before = [lambda: None, *(becomes(deployment) for deployment in found[1:])]
    return list(found)


def test_prints_a_line_for_each_change(run: Run, stages: list[Deployment]) -> None:
    result = run(*WATCH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "    0s  scr/staging abc1234  Running\n"
        "    0s  planning and verification  Succeeded\n"
        "    0s  admission  Succeeded\n"
        "    0s  rollout of scr-api  Succeeded\n"
        "    0s  rollout of scr-web  Running  0/2 running\n"
        "    0s  rollout of scr-web  Running  1/2 running, 1 failed\n"
        "    0s  scr/staging abc1234  Succeeded\n"
        "    0s  rollout of scr-web  Succeeded\n"
        "Succeeded after 0s: All is well.\n"
    )


def test_prints_json_lines(run: Run, stages: list[Deployment]) -> None:
    result = run(*WATCH, "-o", "json")

    views = [json.loads(line) for line in result.stdout.splitlines()]
    assert [view["phase"] for view in views] == ["Running", "Running", "Succeeded"]


def test_an_outage_of_the_api_is_sat_out(run: Run, server: Server, stages: list[Deployment]) -> None:
    def outage() -> None:
        server.faults = [503] * 5

    server.before = [outage, *server.before]

    assert run(*WATCH).exit_code == 0


def test_a_failure_ends_with_one_and_shows_the_log(
    run: Run, world: World, server: Server, scr_document: dict[str, Any]
) -> None:
    broken = rolling(1, 0, 3, "Failed", reason="FailFast", message="3 tasks failed", logs=["boom", "\x1b[2Jexit 1"])
    failed = make.deployment(
        steps={**make.passed(upto=API), WEB: broken}, phase=Phase.ROLLED_BACK, message="web failed.", ended_at=make.AT
    )
    show(world, server, scr_document, failed)

    result = run(*WATCH)

    assert result.exit_code == 1
    assert result.stdout.endswith(
        "    0s  rollout of scr-web  Failed  0/1 running, 3 failed, FailFast\n"
        "RolledBack after 0s: web failed.\n\nrollout of scr-web, last lines of the log:\n  boom\n  [2Jexit 1\n"
    )


def test_gives_up_in_time(run: Run, world: World, server: Server, scr_document: dict[str, Any]) -> None:
    show(world, server, scr_document, make.deployment())

    result = run(*WATCH, "--timeout", "1s")

    assert (result.exit_code, "timed out after 1s: still Running; the deployment continues" in result.stderr) == (
        1,
        True,
    )


def test_waits_for_a_version_to_begin(run: Run, world: World, server: Server, scr_document: dict[str, Any]) -> None:
    show(world, server, scr_document, make.deployment(phase=Phase.SUCCEEDED, message="Done.", ended_at=make.AT))
    new = make.deployment(id="01K1", version="fff1234", phase=Phase.FAILED, message="No.", ended_at=make.AT, steps={})
    server.before = [lambda: None, lambda: world.put(new)]

    result = run(*WATCH, "--release", "fff1234")

    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "waiting for a deployment to start")
    assert result.stdout.endswith("Failed after 0s: No.\n")


def test_follows_the_one_it_began_with(run: Run, world: World, server: Server, scr_document: dict[str, Any]) -> None:
    show(world, server, scr_document, make.deployment())
    ended = make.deployment(phase=Phase.SUCCEEDED, message="Done.", ended_at=make.AT, rev=1)
    newer = make.deployment(id="01K1", version="fff1234")

    def overtaken() -> None:
        claim = make.state().active
        assert claim is not None
        world.put(ended, newer, make.state(active=claim.but(deployment="01K1"), rev=1))

    server.before = [lambda: None, overtaken]

    assert run(*WATCH).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("watch", "prod", "--release", "x"), "known environments: staging", id="environment"),
        pytest.param(("watch", "staging", "-d", "nope"), "has no deployment 'nope'", id="deployment"),
        pytest.param(("watch", "staging"), "has had no deployment yet", id="none-yet"),
        pytest.param(("watch", "staging", "--timeout", "soon"), "is not a duration", id="timeout"),
    ],
)
def test_bad_input(
    run: Run, world: World, scr_document: dict[str, Any], arguments: tuple[str, ...], words: str
) -> None:
    world.applied(scr_document)

    result = run(*arguments)

    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_interrupting_leaves_the_deployment_alone(
    run: Run, world: World, server: Server, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    show(world, server, scr_document, make.deployment())

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ferryman_cli.following.time.sleep", interrupt)
    result = run(*WATCH)

    assert (result.exit_code, "the deployment continues" in result.stderr) == (130, True)
    assert world.store.deployment("scr", "staging", make.deployment().id).abort is None


def test_on_a_terminal_it_draws(stages: list[Deployment], server: Server) -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"}
    child = subprocess.Popen([sys.executable, "-m", "ferryman_cli", *WATCH], stdout=terminal, env=environment)
    os.close(terminal)
    seen = b""
    try:
        while chunk := os.read(master, 4096):
            seen += chunk
    except OSError:  # Linux says EIO once the child has closed its end
        pass
    finally:
        os.close(master)
    assert child.wait(timeout=20) == 0
    text = seen.decode()
    assert "1/2 running, 1 failed" in text
    assert "✓" in text
    assert text.rstrip().endswith("after 0s: All is well.")


class TestPicture:
    def view(self, **changes: Any) -> dict[str, Any]:
        from ferryman.api.views import deployment as views

        done = {**make.passed(upto=API), WEB: rolling(2, 1)}
        return views.deployment(make.deployment(steps=done, **changes), make.AT).dump()

    def test_shows_each_step_with_its_time_and_counts(self) -> None:
        assert progress.picture(self.view(), frame=0, later=7).plain == (
            "scr/staging  abc1234  Running  7s\n"
            "  ✓ planning and verification      0s\n"
            "  ✓ admission                      0s\n"
            "  ✓ rollout of scr-api             0s\n"
            "  ⠋ rollout of scr-web             7s  1/2 running"
        )

    @pytest.mark.parametrize(
        ("changes", "lines"),
        [
            pytest.param({}, ["database migration orders", "database migration stock"], id="deploy"),
            pytest.param(
                {"kind": "rollback", "command": "down", "revisions": {"orders": "1", "stock": "a"}},
                ["downgrade the database orders to 1", "downgrade the database stock to a"],
                id="rollback",
            ),
            pytest.param(
                {"kind": "migrate", "command": "current", "migration": "orders"},
                ["migrate orders current with abc1234", "read the database revision orders"],
                id="command",
            ),
        ],
    )
    def test_names_each_of_several_migrations(self, changes: dict[str, Any], lines: list[str]) -> None:
        plan = make.plan(named_migrations=[make.migration(name=name) for name in ("orders", "stock")])
        text = progress.picture(self.view(plan=plan, **changes), frame=0, later=0).plain
        assert [line in text for line in lines] == [True, True], text

    def test_without_unicode(self) -> None:
        text = progress.picture(self.view(), frame=0, later=0, ascii_only=True).plain
        assert text.isascii()

    def test_an_ended_one_stands_still(self) -> None:
        ended = self.view(phase=Phase.SUCCEEDED, ended_at=make.AT)
        assert progress.picture(ended, frame=0, later=99).plain.startswith("scr/staging  abc1234  Succeeded  0s")


def test_every_status_of_a_step_has_a_mark() -> None:
    from ferryman_cli.progress import _MARKS

    assert {str(status) for status in StepStatus} - {"Running"} <= set(_MARKS)


class TestVersion:
    """`--release` of what can never be a release ends at once, and a tag stands for its version."""

    @pytest.fixture(autouse=True)
    def _platform(self, world: World, scr_document: dict[str, Any]) -> None:
        world.applied(scr_document)
        ended = make.deployment(steps=make.passed(), phase=Phase.SUCCEEDED, ended_at=make.AT)
        world.put(make.release("abc1234", names=["v1.2.3"]), idle(), ended)

    @pytest.mark.parametrize("tag", ["sha-3f9c2ab", "git-3f9c2ab", "3F9C2AB", "latest"])
    def test_a_tag_that_can_never_be_a_release_says_so_at_once(self, run: Run, server: Server, tag: str) -> None:
        result = run(*WATCH, "--release", tag)

        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {tag} does not match tagPattern (?P<version>[0-9a-f]{{7,40}}).")
        assert "Push the images " in result.stderr
        assert not any("/deployments/" in path for _, path, _, _ in server.seen)

    def test_a_moving_tag(self, run: Run) -> None:
        assert "it follows what runs, and starts nothing" in run(*WATCH, "--version", "staging-current").stderr

    def test_a_refused_semver_tag(self, run: Run, world: World) -> None:
        world.put(
            SemverName(platform="scr", name="v9.9.9", status="Refused", message="so it is", first_seen_at=make.AT)
        )
        result = run(*WATCH, "--version", "v9.9.9")

        assert (result.exit_code, "v9.9.9 is refused: so it is" in result.stderr) == (2, True)

    def test_a_semver_tag_stands_for_its_release(self, run: Run) -> None:
        result = run(*WATCH, "--version", "v1.2.3")

        assert (result.exit_code, result.stderr) == (0, "v1.2.3 is version abc1234\n")

    def test_a_semver_tag_that_is_bound_meanwhile(self, run: Run, world: World, server: Server) -> None:
        def bind() -> None:
            world.put(
                SemverName(platform="scr", name="v2.0.0", status="Bound", version="abc1234", first_seen_at=make.AT)
            )

        server.before = [lambda: None, bind]
        result = run(*WATCH, "--version", "v2.0.0")

        assert result.exit_code == 0
        assert result.stderr.startswith("v2.0.0 is a semver tag: a second name")

    def comes(self, world: World, server: Server, version: str) -> None:
        """A deployment of this version has started when the command looks for the second time."""
        ended = make.deployment(
            id="01KZ", version=version, steps=make.passed(), phase=Phase.SUCCEEDED, ended_at=make.AT
        )
        server.before = [lambda: None, lambda: world.put(ended)]

    def test_a_version_that_may_come_is_waited_for(self, run: Run, world: World, server: Server) -> None:
        self.comes(world, server, "fff0000")
        result = run(*WATCH, "--version", "fff0000")

        assert (result.exit_code, result.stderr) == (0, "")
        assert "waiting for a deployment to start" in result.stdout

    def test_an_operator_that_is_older_is_asked_as_before(
        self, run: Run, world: World, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older = [route for route in serve_api.ROUTES if "/tags/" not in route[1]]
        monkeypatch.setattr(serve_api, "ROUTES", older)
        self.comes(world, server, "sha-1")

        assert run(*WATCH, "--version", "sha-1").exit_code == 0
