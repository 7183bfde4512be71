"""Waivers that have not expired, as far as an environment's state has room for them."""

from datetime import timedelta

import pytest

from ferryman.decisions.requests.waive import request_waiver
from ferryman.errors import Refused
from ferryman.platform import parse
from ferryman.records import EnvironmentState
from unit import builders as make
from unit.large_world import document

DOCUMENT = parse(document([["api"]], scan={}))


def waive(state: EnvironmentState, number: int, reason: str) -> EnvironmentState:
    releases = [make.release(f"{number:07x}")]
    return request_waiver(
        state, DOCUMENT, releases, release=f"{number:07x}", reason=reason, duration=timedelta(days=7), who="ann",
        at=make.AT,
    )[0]  # fmt: skip


def test_dozens_of_usual_ones_and_no_more_than_fit_of_long_ones() -> None:
    state = make.state()
    for number in range(50):
        state = waive(state, number, "the finding is in a test dependency")
    assert len(state.waivers) == 50
    state = waive(state, 50, "漢" * 400)
    with pytest.raises(Refused, match="no room for another waiver"):
        waive(state, 51, "漢" * 500)
