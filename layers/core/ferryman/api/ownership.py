"""What belongs to whom, as `apply` and `delete platform` see it; see docs/security.md#what-belongs-to-whom.

What judges it is imported by the few calls that need it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ferryman.api.context import Context
from ferryman.api.control import ReasonBody
from ferryman.api.http import HttpError, Request, how
from ferryman.errors import Conflict, InvalidDocument, Refused, Unavailable
from ferryman.messages import timeline
from ferryman.platform import Platform, parse
from ferryman.records import AppliedPlatform, EnvironmentState, EventType
from ferryman.records.writes import Remove, Save, Unchanged, Write
from ferryman.suggestions import suggest

if TYPE_CHECKING:
    from ferryman.decisions.ownership import Judged
    from ferryman.platform.claims import Claims

_AT_ONCE = 10
"""Platforms whose records one call makes: each costs up to some seconds."""


def judge(operator: Context, document: Platform, found: "Claims", before: AppliedPlatform | None) -> "Judged":
    """Hold what a document claims against what others own; the records of all other platforms are made first.

    Raise Unavailable while there are more to make than one call can.
    """
    from ferryman.steps import ownership_records

    left = ownership_records.make_missing(operator.store, operator.outside.claims, operator.clock, _AT_ONCE)
    if left:
        told = f"what {left} other platforms own is still being read, because Ferryman was updated; apply again"
        raise Unavailable(told)
    return _judge(operator, document, found, before)


def refuse(problems: list[tuple[str, str]]) -> None:
    """Raise HttpError for what a document names and somebody else owns."""
    if problems:
        told = "the document names what belongs to others; nothing was changed"
        raise HttpError(409, "OwnedElsewhere", told, problems)


def save(
    operator: Context, document: Platform, applied: AppliedPlatform, found: "Claims", also: Iterable[Write]
) -> None:
    """Store a document and what it owns, in one transaction. What nobody else owns now is free.

    Raise HttpError when somebody else came to own a part of it meanwhile, Refused when this platform was applied.
    """
    from ferryman.decisions import ownership

    store, at, rows = operator.store, operator.clock(), tuple(also)
    for _ in store.attempts():
        # Read first: whoever owns something that the lines below don't see has changed the register by then.
        register = store.ownership_register(at)
        before = store.find_platform(document.name)
        if (before.rev if before else 0) != applied.rev:
            break
        refuse(_judge(operator, document, found, before).problems)
        made, gone = ownership.records_of(document.name, found, applied.generation, store.ownerships(), at)
        writes: list[Write] = [Save(applied), Save(register.but(at=at)), *map(Save, made), *map(Remove, gone)]
        try:
            store.write(*writes, *rows)
        except Conflict:
            continue
        return
    raise Refused(
        f"somebody else applied platform {document.name} at the same time; check the result, then apply again"
    )


def retire(operator: Context, request: Request) -> dict[str, Any]:
    """Take a platform out of Ferryman: its document, and with it everything that belongs to it. Only for admins."""
    name = request.params["platform"]
    body, at, store = request.read(ReasonBody), operator.clock(), operator.store
    for _ in store.attempts():
        register, applied = store.ownership_register(at), store.platform(name)
        states = _idle(operator, applied)
        owned = [item for item in store.ownerships() if item.platform == name]
        event = timeline.environment_event(
            name, None, EventType.RETIRED, f"retired generation {applied.generation}: {body.reason}",
            at=at, new_id=operator.new_id, who=request.who, detail=how(request),
        )  # fmt: skip
        try:
            store.write(
                Remove(applied),
                Save(register.but(at=at)),
                *map(Remove, owned),
                *map(Unchanged, states),
                event,
            )
        except Conflict:
            continue
        message = (
            f"platform {name} is deleted: Ferryman deploys nothing of it, and what it owned is free. Nothing changed "
            "in ECS; its releases and records stay, and a platform of this name begins a new history"
        )
        return {"platform": name, "changed": True, "message": message}
    raise Conflict(f"platform {name} kept changing; try again")


def elsewhere(operator: Context, platform: str, env: str, found: "Claims") -> list[tuple[str, str]]:
    """Return what an environment names and only somebody else owns; `found` is what AWS says it names."""
    from ferryman.decisions import ownership
    from ferryman.steps import ownership_records

    part = found.environments.get(env)
    if part is None:
        return []
    return ownership.elsewhere(platform, env, part, ownership_records.current(operator.store)[0])


def shared(operator: Context, platform: str) -> dict[str, list[str]]:
    """Return environment (empty: the platform) → what belongs to it and to somebody else as well, in words."""
    from ferryman.decisions import ownership
    from ferryman.steps import ownership_records

    found = ownership.owned_twice(ownership_records.current(operator.store)[0])
    return {env: texts for (name, env), texts in found.items() if name == platform}


def warnings(operator: Context, platform: str) -> list[tuple[str, str]]:
    """Return what a stored document shares with others since before this rule, by the path of its environment."""
    found = shared(operator, platform)
    return [(f"spec.environments.{env}" if env else "spec", text) for env, texts in found.items() for text in texts]


def _judge(operator: Context, document: Platform, found: "Claims", before: AppliedPlatform | None) -> "Judged":
    from ferryman.decisions import ownership
    from ferryman.steps import ownership_records

    records, names = ownership_records.current(operator.store)
    stored = before.document if before else {}
    return ownership.judge(document, found, _readable(before), stored, records, names)


def _readable(before: AppliedPlatform | None) -> Platform | None:
    try:
        return parse(before.document) if before else None
    except InvalidDocument:
        return None


def _idle(operator: Context, applied: AppliedPlatform) -> list[EnvironmentState]:
    """Return the states of a platform's environments; raise Refused if a deployment is in progress in one."""
    names = applied.document.get("spec", {}).get("environments", {})
    states = [operator.store.state(applied.name, env) for env in names]
    for state in states:
        if state.active is not None:
            env = state.environment
            raise Refused(
                f"deployment {state.active.deployment} is in progress in {applied.name}/{env}; wait until it has "
                f"ended, or run {suggest('abort', env, p=applied.name, reason='REASON')}, then delete the platform"
            )
    return states
