"""What no plan can freeze, by name: it is read when a task starts, or while it runs. Pure."""

from collections.abc import Mapping
from typing import Any

from ferryman.decisions.what_changes import image, some

_ALWAYS = "Whatever the containers read for themselves while they run (SSM, S3, databases, other services)."


def sentences(definitions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what of these definitions an approval does not cover.

    `definitions`: service, job or migration → what will run there, as `task_definitions.canonical` returns it.
    """
    tags: list[str] = []
    secrets: list[str] = []
    files: list[str] = []
    for name, definition in definitions.items():
        for container in definition.get("containerDefinitions", []):
            if "@sha256:" not in container.get("image", ""):
                tags.append(f"{image(container.get('image'))} ({name}/{container['name']})")
            secrets += [item["name"] for item in container.get("secrets", [])]
            files += [str(item.get("value")) for item in container.get("environmentFiles", [])]
    named = (
        ("Images with a tag instead of a digest; the tag can be moved before a task starts", tags),
        ("Values of secrets and parameters, which ECS reads when a task starts", secrets),
        ("Environment files in S3, which ECS reads when a task starts", files),
    )
    return [*(f"{what}: {some(list(dict.fromkeys(names)))}." for what, names in named if names), _ALWAYS]
