"""Time spans as text. Pure.

For people: `45s`, `3m20s`, `5h`, `12d`, like Kubernetes' AGE column. As a document has them: `1h30m`.
"""

from datetime import datetime, timedelta


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


def format_duration(span: timedelta) -> str:
    """Write a time span as `1h30m`; the inverse of `platform.values.parse_duration` for whole seconds."""
    total = int(span.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, total = divmod(total, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
