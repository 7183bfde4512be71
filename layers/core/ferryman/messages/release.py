"""Messages about a release: incomplete, or an image or semver tag of it that was refused. Pure.

Called by receive_push and reconcile.
"""

from collections.abc import Iterable
from datetime import datetime

from ferryman.durations import age
from ferryman.messages import outbox
from ferryman.platform import Platform
from ferryman.records import Release
from ferryman.records.writes import Add
from ferryman.suggestions import suggest
from ferryman.text import one_line


def for_incomplete(release: Release, document: Platform, channels: Iterable[str], at: datetime) -> list[Add]:
    """Make the messages about a release that still lacks images after the platform's assemblyTimeout."""
    wanted = list(document.spec.components)
    present = [name for name in wanted if name in release.components]
    missing = [name for name in wanted if name not in release.components]
    count = f"{len(present)} of {len(wanted)} images"
    waiting = ", ".join(missing)
    repositories = ", ".join(f"{document.spec.components[name].repository}:{release.version}" for name in missing)
    since = age(release.first_seen_at, at)
    return outbox.release_rows(
        release,
        channels,
        at,
        event="incomplete",
        subject=f"{release.version} has {count}, waiting for {waiting}",
        blocks=[
            f"{release.version} has {count} ({', '.join(present) or 'none'}) and has waited for {waiting} for {since}.",
            f"Why: {repositories} has not been pushed. Usually a build failed or was cancelled.",
            "Nothing was deployed. Newer releases are not affected.",
            f"What to do next: push {repositories}. The release then continues automatically.",
        ],
        detail={"phase": "Incomplete", "missing": missing},
    )


def for_refused_image(
    release: Release, component: str, pushed: str, channels: Iterable[str], at: datetime
) -> list[Add]:
    """Make the messages about a push of another digest with a tag whose digest is frozen."""
    frozen = release.components[component].digest if component in release.components else "another digest"
    return outbox.release_rows(
        release,
        channels,
        at,
        event=f"refused-{component}-{pushed.removeprefix('sha256:')[:12]}",
        subject=f"another {component} image was pushed as {release.version}",
        blocks=[
            f"Another {component} image was pushed with the tag {release.version}, and was refused.",
            f"Why: release {release.version} is complete and immutable. It has {frozen}; the new image is {pushed}.",
            "Nothing was changed: environments keep running and promoting the image that was verified.",
            "What to do next: push the new image under a new version (a new commit).",
            "To prevent this, turn on tag immutability for the ECR repository.",
        ],
        detail={"phase": "ImageRefused", "component": component, "digest": pushed},
    )


def for_refused_tag(
    platform: str, environment: str, name: str, version: str | None, why: str, channels: Iterable[str], at: datetime
) -> list[Add]:
    """Make the messages about a semver tag that starts nothing."""
    about = f"{name} ({version})" if version else name
    return outbox.environment_rows(
        platform,
        environment,
        channels,
        at,
        event=f"tag-refused-{name}",
        subject=f"{about} will not be deployed",
        blocks=[
            f"The tag {about} was refused in {environment}.",
            f"Why: {one_line(why, limit=1_000)}.",
            "Running services are not affected.",
            (
                "What to do next: see "
                f"{suggest('explain', environment, p=platform)}. Fix it, push, and tag the release once verified."
            ),
        ],
        detail={"phase": "TagRefused", "version": version or "", "name": name},
    )
