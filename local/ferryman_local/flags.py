"""Environment variables that switch something on, such as CI=true. The Makefile's `on` has the same rules."""

import os
from collections.abc import Mapping

NO = frozenset({"", "0", "no", "false", "off"})


def on(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a variable is on: it is set, and not to 0, no, false, off (in any case) or an empty string."""
    return environment.get(name, "").strip().lower() not in NO
