"""The checks of a scene, one by one."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ferryman_local.demo.screen import Screen


@dataclass(frozen=True)
class Check:
    """One check: where the value was read, what is checked, whether it passed, and what was found instead."""

    where: str
    what: str
    ok: bool
    found: str = ""


@dataclass
class Checks:
    """The checks of one scene, shown as they are made."""

    screen: Screen
    made: list[Check] = field(default_factory=list)

    def expect(self, where: str, what: str, ok: bool, found: object = "") -> bool:
        """Record whether a check passed."""
        check = Check(where, what, ok, "" if ok else str(found))
        self.made.append(check)
        self.screen.check(check.where, check.what, check.ok, check.found)
        return ok

    def equal(self, where: str, what: str, found: object, wanted: object) -> bool:
        """Record whether two values are equal."""
        return self.expect(where, what, found == wanted, f"found {found}, expected {wanted}")

    def eventually(self, where: str, what: str, look: Callable[[], object], wanted: object, seconds: float) -> bool:
        """Record whether a value becomes `wanted` within some seconds; AWS is eventually consistent."""
        deadline = time.monotonic() + seconds
        found = look()
        while found != wanted and time.monotonic() < deadline:
            time.sleep(0.3)
            found = look()
        return self.expect(where, what, found == wanted, f"still {found} after {seconds:.0f} s, expected {wanted}")

    @property
    def ok(self) -> bool:
        """Whether there was at least one check and all passed."""
        return bool(self.made) and all(check.ok for check in self.made)

    @property
    def summary(self) -> str:
        """Number of checks by place: `API 2, ECS 4`."""
        return ", ".join(f"{where} {count}" for where, count in Counter(check.where for check in self.made).items())
