"""What an argument can be: for completion in a shell, and for whoever left it out. Never an error."""

import os
from typing import Any
from urllib.parse import quote


def environments(ctx: Any, incomplete: str) -> list[str]:
    """Return the environments of the platform that is chosen, or of all platforms."""
    chosen = ctx.params.get("platform") if ctx is not None else None
    names = [env for item in _platforms(ctx) if chosen in (None, item["name"]) for env in item["environments"]]
    return _fitting(names, incomplete)


def platforms(ctx: Any, incomplete: str) -> list[str]:
    """Return the platforms that the caller may see."""
    return _fitting([item["name"] for item in _platforms(ctx)], incomplete)


def releases(ctx: Any, incomplete: str) -> list[str]:
    """Return the latest releases of the platform that is chosen, or of the only one, with their semver tags."""
    found = [item["name"] for item in _platforms(ctx)]
    chosen = (ctx.params.get("platform") if ctx is not None else None) or (found[0] if len(found) == 1 else None)
    if chosen is None:
        return []
    answer = _ask(ctx, f"/v1/platforms/{quote(chosen, safe='')}/releases")
    return _fitting(
        [name for item in answer.get("releases", []) for name in (item["version"], *item["names"])], incomplete
    )


def name_them(error: Any) -> None:
    """Add to the error for an argument that is missing what it can be."""
    parameter = getattr(error, "param", None)
    if getattr(parameter, "name", None) != "environment" or error.message:
        return
    names = environments(error.ctx, "")
    if names:
        error.message = f"Environments: {', '.join(names)}"


def _fitting(names: list[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _platforms(ctx: Any) -> list[dict[str, Any]]:
    return list(_ask(ctx, "/v1/platforms").get("platforms", []))


def _ask(ctx: Any, path: str) -> dict[str, Any]:
    # Imported here: most commands complete nothing.
    from ferryman_cli.connection import connect
    from ferryman_cli.exits import Stop

    url = ctx.params.get("api_url") if ctx is not None else None
    try:
        return connect(url or os.environ.get("FERRYMAN_API_URL")).get(path)
    except Stop:
        return {}
