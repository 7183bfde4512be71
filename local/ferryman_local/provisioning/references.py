"""What a platform document refers to: SSM parameters, secrets behind some of them, and containers."""

from collections.abc import Iterator, Mapping
from typing import Any

from ferryman_local.provisioning import ensure


def references(value: Any) -> Iterator[str]:
    """Every `ssm:` reference in a document."""
    if isinstance(value, str) and value.startswith("ssm:"):
        yield value.removeprefix("ssm:")
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def missing(session: Any, document: Mapping[str, Any]) -> list[str]:
    """References to parameters that do not exist."""
    return sorted({name for name in references(document) if ensure.read_parameter(session, name) is None})


def migrations_of(environment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the migrations of an environment, whether they have names or not."""
    return [item for item in (environment.get("migration"), *(environment.get("migrations") or [])) if item]


def secrets_of(document: Mapping[str, Any]) -> list[str]:
    """Names of the secrets that a document refers to as `ssm:/ferryman/<platform>/channels/<name>-arn`."""
    platform = document["metadata"]["name"]
    prefix = f"/ferryman/{platform}/channels/"
    found = [reference.removeprefix(prefix) for reference in references(document) if reference.startswith(prefix)]
    names = [name.removesuffix("-arn") for name in found if not name.endswith("-topic-arn")]
    return [f"ferryman/{platform}/{name}" for name in dict.fromkeys(names)]


def containers_of(declared: Mapping[str, Any]) -> dict[str, str]:
    """Container → component of a service or a migration, as the document names them; the main container first."""
    component, listed = declared["component"], declared.get("containers") or []
    main = declared.get("container") or (listed[0] if listed and component not in listed else component)
    found = dict.fromkeys([main, *listed], component)
    for item in declared.get("additionalComponents") or []:
        found |= dict.fromkeys(item.get("containers") or [item["component"]], item["component"])
    return found
