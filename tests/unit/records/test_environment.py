"""What decides what happens next in an environment, as it is stored."""

import pytest

from ferryman.records import EnvironmentState
from unit import builders as make


@pytest.mark.parametrize(
    ("stored", "reasons"),
    [
        ("ScanBlocked", ("ScanBlocked",)),
        ("WaitsForSource,ScanMissing,ScanBlocked", ("WaitsForSource", "ScanMissing", "ScanBlocked")),
        ("", ()),
    ],
)
def test_reported_reasons_are_a_tuple_here_and_one_text_in_the_table(stored: str, reasons: tuple[str, ...]) -> None:
    """Every released version reads and writes the text, also while two versions run beside each other."""
    item = make.state().dump() | {"reported": {"r2": stored}}

    state = EnvironmentState.model_validate(item)

    assert state.reported == {"r2": reasons}
    assert state.dump()["reported"] == {"r2": stored}
    assert EnvironmentState.model_validate(state.dump()) == state


def test_a_state_without_what_a_newer_version_added_is_read() -> None:
    item = make.state().dump()
    del item["waitingFor"]

    assert EnvironmentState.model_validate(item).waiting_for is None
