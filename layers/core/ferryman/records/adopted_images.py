"""The images that an environment ran when it was adopted. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class AdoptedImages(Record):
    """The images that ran when an environment was adopted, where its task definitions name tags.

    A way back to such a task definition goes to these images: its tags may name others by then.
    """

    platform: str
    environment: str
    images: dict[str, str]
    """ARN of the task definition → `container=sha256:…`, with commas between (`decisions.pinned_images`)."""
    at: AwareDatetime
