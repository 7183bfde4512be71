"""Tags that follow what runs: the document's own, `<env>-current` and `<env>-previous`. Called by reconcile.

They are derived state, for people and for ECR's lifecycle rules; nothing is ever decided on them.
"""

from collections.abc import Callable

from ferryman.clients import ecr as ecr_edge
from ferryman.clients.aws_types import ECRClient
from ferryman.decisions.snapshot import TagSetting
from ferryman.platform import Environment, Platform
from ferryman.platform.tags import current_tag, previous_tag
from ferryman.records import EnvironmentState


def wanted(name: str, environment: Environment, state: EnvironmentState) -> list[TagSetting]:
    """Return where each moving tag of an environment should point. Pure.

    Nowhere, while nothing has succeeded here: what a first deployment tagged before it failed stays tagged until one
    succeeds. Taking a tag off would need the right to delete images, and nothing is decided on it.
    """
    if state.current is None:
        return []
    settings = [
        TagSetting(component, tag, digest)
        for component, digest in sorted(state.current.digests.items())
        for tag in [*environment.moving_tags, current_tag(name)]
    ]
    if state.previous is not None:
        previous = sorted(state.previous.digests.items())
        settings += [TagSetting(component, previous_tag(name), digest) for component, digest in previous]
    return settings


def wrong(
    document: Platform, settings: list[TagSetting], resolve: Callable[[str, str], str | None]
) -> tuple[TagSetting, ...]:
    """Return the settings that ECR does not show yet. `resolve`: repository and tag → digest, or None."""
    components = document.spec.components
    return tuple(
        setting
        for setting in settings
        if setting.component in components
        and resolve(components[setting.component].repository, setting.tag) != setting.digest
    )


def ensure(document: Platform, setting: TagSetting, ecr: ECRClient) -> None:
    """Set one moving tag. Raise TagImmutable when it can't be moved, NotFound when the image is gone."""
    repository = document.spec.components[setting.component].repository
    ecr_edge.ensure_tag(ecr, repository, setting.digest, setting.tag)
