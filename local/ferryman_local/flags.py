"""Variables of the environment that switch something on: CI=true. The Makefile's `on` reads them alike."""

import os
from collections.abc import Mapping

NO = frozenset({"", "0", "no", "false", "off"})


def on(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a variable says yes: it is set to anything but 0, no, false, off (in capitals or not) or nothing."""
    return environment.get(name, "").strip().lower() not in NO
