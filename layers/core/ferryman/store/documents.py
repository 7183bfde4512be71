"""The applied document of a platform, for those to whom a broken one is no reason to stop."""

import logging

from ferryman.errors import InvalidDocument
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform
from ferryman.store.table import Store

_LOG = logging.getLogger("ferryman")


def document_of(store: Store, platform: str) -> Platform | None:
    """Return the document as applied, or None when it can't be read."""
    return parsed(store.find_platform(platform))


def parsed(applied: AppliedPlatform | None) -> Platform | None:
    """Return a document that was read, or None when there is none or it can't be parsed."""
    try:
        return parse(applied.document) if applied else None
    except InvalidDocument as error:
        _LOG.error("the document of %s can't be read: %s", applied.name if applied else "", error)
        return None
