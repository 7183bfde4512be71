"""The timeline is read by everybody, for long: it holds no secrets."""

from ferryman.messages import timeline
from ferryman.records import EventType, TimelineEvent
from unit import builders as make

SECRET = "redis://:hunter2@cache:6379"
HIDDEN = "redis://:[hidden]@cache:6379"


def test_an_event_is_made_without_secrets() -> None:
    detail = {"error": SECRET, "password": "hunter2", "attempt": 2}
    for made in (
        timeline.event(
            make.deployment(), EventType.STEP_ENDED, f"at {SECRET}", at=make.AT, new_id=lambda: "01A", detail=detail
        ),
        timeline.environment_event(
            "scr",
            "staging",
            EventType.STEP_ENDED,
            f"at {SECRET}",
            at=make.AT,
            new_id=lambda: "01A",
            who="x",
            detail=detail,
        ),
    ):
        record = made.record
        assert isinstance(record, TimelineEvent)
        assert record.message == f"at {HIDDEN}"
        assert record.detail == {"error": HIDDEN, "password": "[hidden]", "attempt": 2}
