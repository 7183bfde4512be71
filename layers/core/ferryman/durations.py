"""How long ago, as people read it: `45s`, `3m20s`, `5h`, `12d`, like Kubernetes' AGE column. Pure."""

from datetime import datetime


def age(since: datetime, now: datetime) -> str:
    """Return the time between two moments, with at most two units; a moment in the future is `0s`."""
    return span((now - since).total_seconds())


def span(seconds: float) -> str:
    """Return a number of seconds as people read it."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if minutes < 2:
        return f"{whole}s"
    if minutes < 10:
        return _pair(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return f"{days}d"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
