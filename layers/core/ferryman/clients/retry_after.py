"""How long a server asks to be left alone: the header `Retry-After`, in seconds or as a date.

Source: RFC 9110, section 10.2.3.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ferryman import ids

_SECONDS = re.compile(r"([0-9]+)(\.[0-9]*)?", re.ASCII)


def wait_in(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, 0 or more; None when it does not say, or nothing that is valid.

    Names of `headers` are in lower case. A date counts from the answer's own `Date`, so that clocks may differ. The
    caller sets a bound: a server may ask for years.
    """
    text = headers.get("retry-after", "").strip()
    if found := _SECONDS.fullmatch(text):
        # Ten digits are three hundred years; Python refuses to read some thousands.
        return float(found[1].lstrip("0")[:10] or 0)
    at = _date(text)
    if at is None:
        return None
    return max(0.0, (at - (_date(headers.get("date", "")) or ids.now())).total_seconds())


def _date(text: str) -> datetime | None:
    # Few answers hold a date, and every start of a function would pay for the import.
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
