"""What people are told of a release that is not whole, or whose image or tag was refused."""

from datetime import timedelta
from typing import Any

from ferryman.messages.release import for_incomplete, for_refused_image
from ferryman.platform import parse
from ferryman.records import (
    ReleaseStatus,
)
from unit import builders as make
from unit.messages.rows import AT, only


def document() -> Any:
    service = {"name": "s", "component": "api"}
    return parse(
        {
            "apiVersion": "ferryman/v1",
            "kind": "Platform",
            "metadata": {"name": "scr"},
            "spec": {
                "components": {name: {"repository": f"scr-{name}"} for name in ("api", "web", "gateway")},
                "environments": {"staging": {"cluster": "c", "waves": [{"name": "w", "services": [service]}]}},
            },
        }
    )


def test_incomplete_counts_and_names_what_it_waits_for() -> None:
    release = make.release(status=ReleaseStatus.ASSEMBLING)
    message = only(for_incomplete(release, document(), ["team"], make.AT + timedelta(minutes=31)))
    assert message.subject == "[Incomplete] scr: abc1234 has 2 of 3 images, waiting for gateway"
    assert "push scr-gateway:abc1234" in message.text
    assert "for 31m" in message.text
    assert message.owner == "scr#abc1234"


def test_refused_image_names_both_digests_and_is_told_once_for_each() -> None:
    first, again, other = (
        only(for_refused_image(make.release(), "api", make.digest(letter), ["team"], AT)) for letter in "bbc"
    )
    assert make.digest("a") in first.text
    assert make.digest("b") in first.text
    assert first.event == again.event != other.event
