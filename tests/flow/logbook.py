"""The operator's log, as the flow tests read it."""

import json
from collections.abc import Callable
from typing import Any

from ferryman_local.local_aws import LocalAws
from flow.functions import STEPS


class LogBook:
    """Base of `flow.stage.Stage`, which sets what is declared here."""

    aws: LocalAws
    client: Callable[[str], Any]
    until: Callable[..., Any]

    def log(self) -> list[str]:
        """All lines of the operator's functions."""
        pages = self.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName="/ferryman/ferryman/functions")
        return [str(event["message"]) for page in found for event in page["events"]]

    def records(self) -> list[dict[str, Any]]:
        """The structured lines of the log."""
        found = []
        for line in self.log():
            if line.lstrip().startswith("{"):
                record = json.loads(line)
                if isinstance(record, dict) and "level" in record:
                    found.append(record)
        return found

    def logged(self, wanted: Callable[[dict[str, Any]], bool], *, times: int = 1) -> list[dict[str, Any]]:
        """Wait until the log holds that many such lines."""
        return self.until(
            lambda: len(found := [record for record in self.records() if wanted(record)]) >= times and found,
            f"{times} such lines in the log",
        )

    def unjust(self) -> list[str]:
        """Lines of the log that tell of a missing permission."""
        told = [line for line in self.log() if "AccessDenied" in line or "not authorized" in line]
        emulator = self.aws.emulator.log.read_text(errors="replace").splitlines()
        return told + [line for line in emulator if "not authorized to perform" in line or "AccessDenied" in line]

    def anonymous(self) -> list[dict[str, Any]]:
        """Structured lines of a deployment's steps that don't tell which deployment they are about."""
        steps = {f"ferryman-{name}-" for name in STEPS}
        found = [record for record in self.records() if any(record.get("function", "").startswith(it) for it in steps)]
        return [record for record in found if not record.get("deployment")]

    def metric(self, name: str) -> float:
        """How often something was counted so far (EMF lines of the log)."""
        lines = [json.loads(line) for line in self.log() if line.lstrip().startswith("{") and f'"{name}"' in line]
        return float(sum(sum(line[name]) for line in lines if "_aws" in line and isinstance(line.get(name), list)))

    def log_of(self, platform: str) -> list[str]:
        """The structured lines about one platform."""
        return [json.dumps(record)[:600] for record in self.records() if record.get("platform") == platform]
