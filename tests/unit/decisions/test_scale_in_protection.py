"""What people are told of protected old tasks, and how long the protection lasts."""

from datetime import timedelta

import pytest

from ferryman.decisions.scale_in_protection import Protection, in_words, seconds_left
from unit import builders as make

UNTIL = make.AT + timedelta(hours=2)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(Protection(), "", id="none"),
        pytest.param(Protection(1, UNTIL), f"1 old task is protected from scale-in until {UNTIL:%F %T} UTC", id="one"),
        pytest.param(
            Protection(3, UNTIL),
            f"3 old tasks are protected from scale-in until at the latest {UNTIL:%F %T} UTC",
            id="several",
        ),
        pytest.param(
            Protection(unread="it was refused"),
            "whether old tasks are protected from scale-in could not be read: it was refused",
            id="unread",
        ),
    ],
)
def test_in_words(found: Protection, words: str) -> None:
    assert in_words(found) == words


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        pytest.param(Protection(1, UNTIL), 7_200, id="two hours"),
        pytest.param(Protection(1, make.AT - timedelta(seconds=5)), 0, id="over"),
        pytest.param(Protection(), 0, id="none"),
        pytest.param(Protection(unread="it was refused"), 0, id="unread"),
    ],
)
def test_seconds_left(found: Protection, seconds: int) -> None:
    assert seconds_left(found, make.AT) == seconds
