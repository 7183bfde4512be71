"""Decides whether a proved caller may make a call, before its route runs.

Called by `serve_api`, once for each call. Which role a verb needs: `ferryman.access.roles`.
"""

from typing import NoReturn

from ferryman.access.roles import NEEDS, Verb, Where
from ferryman.api.context import Context
from ferryman.api.http import Request
from ferryman.errors import NotFound, NotPermitted
from ferryman.records import AppliedPlatform


def authorize(operator: Context, request: Request, verb: Verb) -> None:
    """Raise NotPermitted unless the caller has the role that this call needs.

    Raise NotFound for a platform that does not exist, for an environment that does not exist on a platform where the
    caller has a role, and a TransientError when the roles can't be read just now.
    """
    where, who = NEEDS[verb][1], request.who
    if where is Where.NOWHERE or operator.access.is_admin(who):
        return
    platform = request.params["platform"]
    applied = operator.store.find_platform(platform)
    if applied is None and verb is Verb.APPLY:
        operator.access.require_admin(who, f"create the platform {platform[:60]}")
    elif applied is None:
        _no_platform(operator, request)
    elif where is Where.OPERATOR:
        operator.access.require_admin(who, f"{verb.replace('-', ' ')} {platform}")
    elif where is Where.HERE:
        _here(operator, request, verb, applied)
    elif where is Where.SOME:
        if not any(operator.access.sees(who, platform, name) for name in names_of(applied)):
            raise NotPermitted(operator.access.refusal(who, verb, platform, f"an environment of {platform}"))
    else:
        # Who leaves an environment out of a document changes it, too.
        named = _named(request.body) if verb is Verb.APPLY else []
        operator.access.require(who, verb, platform, dict.fromkeys([*names_of(applied), *named]))


def _here(operator: Context, request: Request, verb: Verb, applied: AppliedPlatform) -> None:
    who, name, known = request.who, request.params["environment"], names_of(applied)
    if name not in known and operator.access.has_any(who, applied.name):
        raise no_environment(applied, name)
    operator.access.require(who, verb, applied.name, [name])


def _no_platform(operator: Context, request: Request) -> NoReturn:
    """Raise NotFound, naming the platforms that the caller may see."""
    found = [it.name for it in operator.store.platforms() if operator.access.has_any(request.who, it.name)]
    known = ", ".join(found) or "none that you may see"
    raise NotFound(f"no platform is named {request.params['platform'][:60]!r}; known platforms: {known}")


def no_environment(applied: AppliedPlatform, name: str) -> NotFound:
    """Return the error for an environment that a platform does not have."""
    known = ", ".join(names_of(applied))
    return NotFound(f"platform {applied.name} has no environment {name[:60]!r}; known environments: {known}")


def names_of(applied: AppliedPlatform) -> list[str]:
    """Return the environments of a stored document, also of one that today's models refuse."""
    return list(applied.document["spec"]["environments"])


def _named(body: object) -> list[str]:
    """Return the environments that a document names; a document of another shape is refused by its route."""
    spec = body.get("spec") if isinstance(body, dict) else None
    environments = spec.get("environments") if isinstance(spec, dict) else None
    return [str(name) for name in environments] if isinstance(environments, dict) else []
