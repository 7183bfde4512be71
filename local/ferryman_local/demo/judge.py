"""Checks that several scenes share."""

from functools import partial

from ferryman_local.demo import observe
from ferryman_local.demo.checks import Checks
from ferryman_local.demo.stage import Stage

SOON = 15.0
"""Seconds until draining tasks have stopped and tags have moved."""


def good(stage: Stage, checks: Checks, version: str, digests: dict[str, str]) -> None:
    """Check that a release runs: by digest in ECS, and by its responses through the load balancer."""
    checks.eventually("ECS", f"every task runs {version}, pinned by digest", stage.seen.runs, digests, SOON)
    api, web = stage.urls["api"], stage.urls["web"]
    checks.eventually("HTTP", f"/health reports {version}", lambda: observe.health(api), version, SOON)
    checks.eventually("HTTP", f"the page shows {version}", lambda: observe.page(web), version, SOON)


def tags(stage: Stage, checks: Checks, names: tuple[str, ...], version: str, digests: dict[str, str]) -> None:
    """Check that these moving tags point to a release's images."""
    for name in names:
        what = f"{name} points to the images of {version}"
        checks.eventually("tags", what, partial(stage.seen.tag, stage.repositories, name), digests, SOON)
