"""Wrong versions that were typed on one link to an approval's page. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class WrongWords(Record):
    """Which different wrong words were typed on a link since its last pause, as salted hashes."""

    deployment: str
    link: str
    """SHA-256 (hex) of the link's nonce, or `shared`; `owner-<hash>` says that the owner has heard of a pause."""
    salt: str
    words: list[str] = []
    """The first characters of each word's hash: enough to tell words apart, too few to tell what was typed."""
    paused_until: AwareDatetime | None = None
    rev: int = 0
