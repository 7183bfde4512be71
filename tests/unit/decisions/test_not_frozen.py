"""What no plan can freeze, by name."""

from typing import Any

from ferryman.decisions import not_frozen
from unit import builders as make

SIDECAR = {"name": "proxy", "image": "nginx:1.26"}


def definition(*more: dict[str, Any], **container: Any) -> dict[str, Any]:
    image = f"registry/scr-api@{make.digest('a')}"
    return {"family": "scr-api", "containerDefinitions": [{"name": "app", "image": image, **container}, *more]}


def secrets(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "valueFrom": value} for name, value in values.items()]


def test_what_no_plan_can_freeze_is_named() -> None:
    of = {"scr-api": definition(SIDECAR, secrets=secrets(KEY="arn"), environmentFiles=[{"value": "arn:s3/x.env"}])}
    tags, values, files, always = not_frozen.sentences(of)
    assert tags.endswith("moved before a task starts: nginx:1.26 (scr-api/proxy).")
    assert values.endswith("when a task starts: KEY.")
    assert files.endswith("when a task starts: arn:s3/x.env.")
    assert "for themselves" in always
    assert not_frozen.sentences({"scr-api": definition()}) == [always]
