"""Which deployments a document starts that the one before it does not. Pure."""

from datetime import datetime

from ferryman.decisions.explain.inputs import Facts
from ferryman.decisions.why_not import why_not


def starts(before: Facts, after: Facts, now: datetime) -> str | None:
    """Return the version that starts by itself under the new document and did not under the old one, else None.

    Both are the same environment at the same moment. What image scans say is what reconcile saw at its last look.
    """
    new = _next(after, now)
    return new if new is not None and new != _next(before, now) else None


def _next(facts: Facts, now: datetime) -> str | None:
    if facts.state.active is not None:
        return None
    return next((why.release.version for why in why_not(facts.view, now) if why.reason == "Next"), None)
