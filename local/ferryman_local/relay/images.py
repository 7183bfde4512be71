"""ECR: the `ECR Image Action` events for a change of a repository's images. Pure; called by the watcher."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ferryman_local.relay.events import Change


@dataclass(frozen=True)
class Image:
    """One digest of a repository with the tags that point to it."""

    digest: str
    tags: tuple[str, ...]
    manifest_type: str = ""
    artifact_type: str = ""


type Images = Mapping[str, Image]


def images_of(details: Iterable[Mapping[str, Any]]) -> dict[str, Image]:
    """The `imageDetails` of DescribeImages by digest, in the registry's order (a child before its index)."""
    return {
        detail["imageDigest"]: Image(
            digest=detail["imageDigest"],
            tags=tuple(detail.get("imageTags") or ()),
            manifest_type=detail.get("imageManifestMediaType") or "",
            artifact_type=detail.get("artifactMediaType") or "",
        )
        for detail in details
    }


def changes(repository: str, before: Images, after: Images) -> list[Change]:
    """The events between two polls of a repository.

    A tag that is new or points elsewhere is a PUSH (a re-tag emits one too); a new digest without a tag is a PUSH with
    an empty tag; a tag or an untagged digest that vanished is a DELETE. A digest that only lost a tag to another one
    has no event, as on AWS.
    """
    tagged_before = {tag: image for image in before.values() for tag in image.tags}
    tagged_after = {tag for image in after.values() for tag in image.tags}
    found = []
    for image in after.values():
        moved = (tag for tag in image.tags if tag not in tagged_before or tagged_before[tag].digest != image.digest)
        found += [_action(repository, "PUSH", image, tag) for tag in moved]
        if not image.tags and image.digest not in before:
            found.append(_action(repository, "PUSH", image, ""))
    gone = [(tag, image) for tag, image in tagged_before.items() if tag not in tagged_after]
    gone += [("", image) for image in before.values() if not image.tags and image.digest not in after]
    found += [_action(repository, "DELETE", image, tag) for tag, image in gone]
    return found


def _action(repository: str, action: str, image: Image, tag: str) -> Change:
    detail = {
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": image.digest,
        "action-type": action,
        "image-tag": tag,
    }
    if image.manifest_type:
        detail["manifest-media-type"] = image.manifest_type
    if image.artifact_type:
        detail["artifact-media-type"] = image.artifact_type
    return Change("aws.ecr", "ECR Image Action", detail)  # `resources` stays empty, as on AWS
