"""Routes that tell who somebody is and what they may do. They need no role, and answer with what the caller may see."""

from typing import Any

from ferryman.access.principals import as_caller
from ferryman.access.roles import NEEDS, Role, Verb, Where
from ferryman.api.authorize import names_of, no_environment
from ferryman.api.context import Context
from ferryman.api.http import HttpError, Request
from ferryman.errors import NotFound

_PERSONAL = {Verb.APPROVE, Verb.REJECT}
ASKABLE = tuple(verb for verb in Verb if verb is not Verb.ASK)
"""The verbs that `can-i` knows."""


def whoami(operator: Context, request: Request) -> dict[str, Any]:
    """Who the caller is for AWS, and their roles in each environment where they have one."""
    who, platforms = request.who, []
    admin = operator.access.is_admin(who)
    for applied in operator.store.platforms():
        found = {name: operator.access.roles(who, applied.name, name) for name in names_of(applied)}
        roles = {name: [role for role in Role if role in mine] for name, mine in found.items() if mine}
        problem = operator.access.grants_of(applied.name).problem if admin else ""
        if roles:
            platforms.append({"name": applied.name, "environments": roles, "problem": problem})
    return {"arn": who, "admin": admin, "platforms": platforms, "admins": list(operator.access.admins)}


def can_i(operator: Context, request: Request) -> dict[str, Any]:
    """Whether the caller, or somebody else (`as`), may do something (`verb`) on an environment of a platform."""
    verb, who = _verb(request), _whom(request)
    role, where = NEEDS[verb]
    platform, env = request.query.get("platform", ""), request.query.get("environment", "")
    if where is Where.OPERATOR:
        allowed, on = operator.access.is_admin(who), "the operator"
    else:
        allowed, on = _on_platform(operator, request, verb, who), f"{platform}/{env}"
    told = f"yes: {who} may {verb} on {on}"
    if where is Where.EVERY:
        told += "; a document needs that on each environment that it names or named"
    if verb in _PERSONAL:
        told += ", where the platform document names them as an approver"
    if not allowed:
        told = f"no: {operator.access.refusal(who, verb, platform, on)}"
    return {
        "allowed": allowed,
        "verb": verb,
        "role": role,
        "who": who,
        "platform": platform or None,
        "environment": env or None,
        "message": told,
    }


def _verb(request: Request) -> Verb:
    text = request.query.get("verb", "")
    if text not in ASKABLE:
        raise HttpError(400, "BadRequest", f"there is no verb {text[:40]!r}; verbs: {', '.join(ASKABLE)}")
    return Verb(text)


def _whom(request: Request) -> str:
    given = request.query.get("as")
    if given is None:
        return request.who
    who = as_caller(given)
    if who is None:
        raise HttpError(
            400, "BadRequest", f"{given[:200]!r} is not the ARN of an IAM user, a role or a session of a role"
        )
    return who


def _on_platform(operator: Context, request: Request, verb: Verb, who: str) -> bool:
    platform, env = request.query.get("platform", ""), request.query.get("environment", "")
    access = operator.access
    if not platform or not env:
        raise HttpError(400, "BadRequest", f"{verb} needs the query parameters platform and environment")
    applied = operator.store.find_platform(platform)
    if applied is not None and env not in names_of(applied) and access.has_any(request.who, platform):
        raise no_environment(applied, env)
    if applied is None and access.is_admin(request.who):
        raise NotFound(f"no platform is named {platform[:60]!r}")
    if who != request.who:
        # What somebody else may do there is for those who see the environment.
        access.require(request.who, Verb.VIEW, platform, [env])
    return not access.lacking(who, verb, platform, [env])
