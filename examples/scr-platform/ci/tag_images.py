"""Tag the images of the checked-out commit with the semver tag of the git tag. Nothing is built or uploaded.

All images are checked before any is tagged, and running it twice changes nothing.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from release import FOLDERS, SEMVER, ReleaseError, aws, image, main, repository, version


def tag() -> None:
    name = checked(os.environ.get("GITHUB_REF_NAME", ""))
    images = {component: image(component, version()) for component in FOLDERS}
    missing = [f"{repository(component)}:{version()}" for component, found in images.items() if not found]
    if missing:
        raise ReleaseError(
            f"{', '.join(missing)} not in ECR, so {name} cannot be set. Images are built on main: "
            "wait until the run for this commit has pushed them, then run this job again."
        )
    there = {component: found for component, found in images.items() if found}
    todo = [component for component, found in there.items() if is_new(component, name, found)]
    for component in todo:
        put(component, name, there[component])
    for component, found in there.items():
        done = "tagged" if component in todo else "already tagged"
        print(f"tag_images: {repository(component)}:{name} = {version()} ({digest(found)}), {done}")


def checked(name: str) -> str:
    """Return the name if Ferryman accepts it as a semver tag and ECR as an image tag."""
    if not SEMVER.fullmatch(name):
        raise ReleaseError(f"{name!r} is not a semver tag; use for example v1.2.3 or v1.2.3-rc.1.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", name):
        raise ReleaseError(f"{name!r} cannot be an image tag; use only letters, digits, `.` and `-`, at most 128.")
    return name


def is_new(component: str, name: str, found: dict[str, Any]) -> bool:
    named = image(component, name)
    if named and digest(named) != digest(found):
        raise ReleaseError(
            f"{repository(component)}:{name} is already another image ({digest(named)}; {version()} is "
            f"{digest(found)}). A semver tag never changes: use a new one."
        )
    return named is None


def put(component: str, name: str, found: dict[str, Any]) -> None:
    """Tag the same bytes once more. ECR compares them with the digest."""
    with tempfile.TemporaryDirectory(prefix="tag-images-") as folder:
        manifest = Path(folder) / "manifest.json"
        manifest.write_bytes(found["imageManifest"].encode())
        arguments = ["--repository-name", repository(component), "--image-tag", name, "--image-digest", digest(found)]
        if media_type := found.get("imageManifestMediaType"):
            arguments += ["--image-manifest-media-type", media_type]
        aws("ecr", "put-image", *arguments, "--image-manifest", f"file://{manifest}")


def digest(found: dict[str, Any]) -> str:
    value: str = found["imageId"]["imageDigest"]
    return value


if __name__ == "__main__":
    main(tag)
