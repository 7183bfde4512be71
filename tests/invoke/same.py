"""What has to be the same of two runs, and a short name for what a function answered."""

import json
import re
from typing import Any

MASKS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d| UTC)?"), "<time>"),
    (re.compile(r"\b\d{8}T\d{6,}\b"), "<time>"),
    (re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b"), "<id>"),
    (re.compile(r"(task-definition/[\w-]+):\d+"), r"\1:<revision>"),
    (re.compile(r"\b([\w-]+):\d+\)"), r"\1:<revision>)"),
    (re.compile(r"(:task/[\w-]+)/[0-9a-f-]+"), r"\1/<task>"),
    (re.compile(r"ecs-svc/\w+"), "ecs-svc/<deployment>"),
    (re.compile(r"^(PROOF#)?[0-9a-f]{64}$"), r"\1<binding>"),
    (re.compile(r"^[0-9a-f]{32}$"), "<places>"),  # of a release in the lists: two of three are times
    (re.compile(r"\b(in|after|took) \d+(\.\d+)? ?(ms|s)\b"), r"\1 <span>"),
)
ALWAYS_DIFFERENT = {"requestId", "stackTrace", "expiresAt", "SequenceNumber", "rev"}
"""`rev`: the first run also moves tags in ECR, under two writes more; the second one finds them moved."""


def plain(value: Any) -> Any:
    """Without times, new ids, and what is different in each run."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in ALWAYS_DIFFERENT}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        for pattern, mask in MASKS:
            value = pattern.sub(mask, value)
    return value


def summary(answer: Any) -> str:
    """What a person would say the function answered."""
    if not isinstance(answer, dict):
        return json.dumps(answer)
    for name in ("errorType", "statusCode", "verdict", "phase"):
        if name in answer:
            reason = answer.get("reason")
            return f"{answer[name]} {reason}" if reason else str(answer[name])
    return json.dumps(answer, sort_keys=True)
