"""A pytest plugin, `-p permissions.remove`: runs flow tests once as they are, and once for each permission without it.

FERRYMAN_PERMISSIONS names a file: a line of JSON for each permission, [[holder, sid, action, part], test]. A line for
each is printed. A test that waits is ended as soon as the role was denied the action: with that it has failed, because
no flow test may end with a permission that the operator lacks (`flow.conftest.standing`).
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from flow import stage as flow_stage
from flow.stage import Stage
from permissions.model import Permission
from permissions.removal import denied, is_of, without

_stages: list[Stage] = []
_missing: list[Permission] = []
_start, _stop, _take_down, _wait_until = Stage.start, Stage.stop, Stage.take_down_denials, flow_stage.wait_until
needed: set[Permission] = set()
"""Permissions without which a test has failed."""


class Denied(Exception):
    """The permission that was taken away was needed."""


def _noted_start(stage: Stage) -> Stage:
    _stages.append(_start(stage))
    return stage


def _noted_stop(stage: Stage) -> None:
    if stage in _stages:
        _stages.remove(stage)
    _stop(stage)


def _wait_until_denied[T](look: Callable[[], T | None], seconds: float, what: str, every: float = 0.1) -> T:
    def looked() -> T | None:
        if _missing and denied(_stages[-1], _missing[0]):
            raise Denied(str(_missing[0]))
        return look()

    return _wait_until(looked, seconds, what, every)


def pytest_sessionstart() -> None:
    """Know every local AWS that a test starts, and end its waiting early."""
    flow_stage.PLACES, flow_stage.PROMOTING = 400, 400
    Stage.start, Stage.stop = _noted_start, _noted_stop  # type: ignore[method-assign]
    flow_stage.wait_until = _wait_until_denied
    # What holds at the end of other sessions does not hold here.
    Stage.unjust = Stage.anonymous = lambda _: []  # type: ignore[method-assign]
    Stage.expects = lambda _, __: True  # type: ignore[method-assign]
    Stage.take_down_denials = _take_down_and_forget  # type: ignore[method-assign]


def _take_down_and_forget(stage: Stage) -> None:
    _take_down(stage)
    stage.denied.clear()


def _given() -> Iterator[tuple[Permission, str]]:
    for line in Path(os.environ["FERRYMAN_PERMISSIONS"]).read_text(encoding="utf-8").splitlines():
        fields, needed_by = json.loads(line)
        yield Permission(*fields), needed_by


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run the test, then run it again without each permission for which it is named.

    What follows is another test each time (`permissions.__main__` puts one at the end): a test that is followed by
    itself is not torn down, and one that is followed by nothing takes down the local AWS.
    """
    todo = [one for one, needed_by in _given() if is_of(item.nodeid, needed_by) and one not in needed]
    reports = runtestprotocol(item, nextitem=nextitem)
    if any(report.failed for report in reports):
        print(f"\nskipped, since it fails anyway: {item.nodeid}", flush=True)
        todo = []
    for permission in todo:
        stage = _stages[-1]
        stage.aws.forget_permissions()
        _missing[:] = [permission]
        with without(stage, permission):
            again = runtestprotocol(item, log=False, nextitem=nextitem)
            was_denied = denied(stage, permission)
        _missing.clear()
        failed = next((report for report in again if report.failed), None)
        how = "denied" if was_denied else "fails" if failed else "NOT NEEDED"
        if how != "NOT NEEDED":
            needed.add(permission)
        print(f"\n{how:10} {permission}  ({item.name})", flush=True)
        if how == "fails":
            print(str(failed.longrepr)[-2_000:] if failed else "")
    return True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail if a permission was not needed by any case of its test, or never taken away."""
    others = [str(one) for one, _ in _given() if one not in needed]
    if others:
        print("\nNot needed, or not tried:", *others, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
