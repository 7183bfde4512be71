"""Images by digest in the place of tags: what ran in an environment when it was adopted. Pure.

ECS resolves a tag anew for each deployment, and a tag can have moved: going back to a task definition that names one
could start the very release that failed. So adoption notes which digests run, and a way back goes to these.
"""

from collections.abc import Mapping

from ferryman.decisions.image_address import digest_of, repository_of
from ferryman.records.limits import TOTALS
from ferryman.text import byte_length

_EACH = 8
"""Bytes of one entry beside its texts."""


def written(digests: Mapping[str, str]) -> str:
    """Return container → digest as one text: `api=sha256:…,proxy=sha256:…`. Names of containers have neither sign."""
    return ",".join(f"{container}={digest}" for container, digest in sorted(digests.items()))


def read(text: str | None) -> dict[str, str]:
    """Return container → digest of what `written` wrote; empty for None."""
    return dict(item.split("=", 1) for item in (text or "").split(",") if "=" in item)


def with_room(pinned: Mapping[str, str]) -> dict[str, str]:
    """Return as many entries as one item has room for."""
    kept, left = {}, TOTALS["AdoptedImages.images"]
    for name, text in pinned.items():
        left -= byte_length(name) + byte_length(text) + _EACH
        if left < 0:
            break
        kept[name] = text
    return kept


def pinned(images: Mapping[str, str], digests: Mapping[str, str]) -> dict[str, str]:
    """Return container → image by digest, for the containers of a task definition (`images`) that name a tag."""
    return {
        container: f"{repository_of(images[container])}@{digest}"
        for container, digest in digests.items()
        if container in images and not digest_of(images[container])
    }
