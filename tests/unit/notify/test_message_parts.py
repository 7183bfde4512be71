"""A message's text taken apart."""

from ferryman.notify.message_parts import Part, parts_of


def test_log_lines_are_set_apart() -> None:
    assert parts_of("What failed: web\n\nLast log lines:\n  | one\n  |   two\n\nNext: push") == [
        Part("What failed: web\n\nLast log lines:", False),
        Part("one\n  two", True),
        Part("Next: push", False),
    ]
    assert parts_of("\n\n") == []
