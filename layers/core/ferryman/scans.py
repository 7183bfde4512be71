"""What ECR's image scans tell. The edge; called by `ferryman.gather` and serve_api."""

from typing import Any

from ferryman.platform import Platform
from ferryman.records import Release
from ferryman.view import ImageScan


def of_release(document: Platform, release: Release, ecr: Any) -> tuple[ImageScan, ...]:
    """Return what is known of each image of a release; of an index's child for the platform (AWS-FACTS.md)."""
    raise NotImplementedError
