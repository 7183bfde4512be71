"""Wrong versions that were typed on one link to an approval's page. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class WrongWords(Record):
    """Which different wrong words were typed on a link since its last pause, as salted hashes."""

    deployment: str
    link: str
    """SHA-256 (hex) of the link's nonce, or `shared`."""
    salt: str
    words: list[str] = []
    """The first characters of each word's hash: enough to tell words apart, too few to tell what was typed."""
    paused_until: AwareDatetime | None = None
    told: bool = False
    """Whether the link's owner has heard of a pause: once is enough."""
    rev: int = 0
