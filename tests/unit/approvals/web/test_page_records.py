"""Which records the page is made of."""

from ferryman.approvals.web.page_records import base_of
from ferryman.records import Phase, Target
from pages import asking


def test_what_ran_before_is_told_as_long_as_it_is_known() -> None:
    state = asking.state()
    current = state.current
    assert current is not None
    previous = Target(version=asking.RUNS, deployment=asking.BEFORE, digests=asking.OLD)
    through = state.but(current=current.but(deployment=asking.ID, version=asking.VERSION), previous=previous)
    done = asking.deployment(phase=Phase.SUCCEEDED)
    later = state.but(current=current.but(deployment="01KLATER", version="deadbee"))

    assert base_of(state, asking.deployment()) == current
    assert base_of(through, done) == previous
    assert base_of(later, done) is None
