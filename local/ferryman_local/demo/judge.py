"""Checks that several scenes make."""

from ferryman_local.demo import observe
from ferryman_local.demo.checks import Checks
from ferryman_local.demo.stage import Stage

SOON = 15.0
"""Seconds in which draining tasks are gone and tags have moved."""


def good(stage: Stage, checks: Checks, version: str, digests: dict[str, str]) -> None:
    """Claim that a release runs: by digest in ECS, and as what answers through the load balancer."""
    checks.eventually("ECS", f"every task runs {version}, pinned by digest", stage.seen.runs, digests, SOON)
    api, web = stage.urls["api"], stage.urls["web"]
    checks.eventually("HTTP", f"/health answers as {version}", lambda: observe.health(api), version, SOON)
    checks.eventually("HTTP", f"the page is that of {version}", lambda: observe.page(web), version, SOON)


def tags(stage: Stage, checks: Checks, names: tuple[str, ...], digests: dict[str, str]) -> None:
    """Claim that moving tags point to a release's images."""
    for name in names:
        same_tags(stage, checks, name, digests)


def same_tags(stage: Stage, checks: Checks, name: str, digests: dict[str, str]) -> None:
    """Claim that one moving tag points to these images."""
    checks.eventually(
        "tags", f"{name} is on its images", lambda: stage.seen.tag(stage.repositories, name), digests, SOON
    )
