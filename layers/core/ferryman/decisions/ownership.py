"""Who owns what, what a document may not claim because of that, and what is owned twice since before this rule. Pure.

See docs/security.md#what-belongs-to-whom.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ferryman.platform import Platform
from ferryman.platform.claims import Claims, Part, Placed, parameters_of_others
from ferryman.records import AppliedPlatform, Ownership
from ferryman.records.limits import COUNTS
from ferryman.records.things import anywhere, words
from ferryman.suggestions import suggest

Problem = tuple[str, str]

OPERATOR = "operator"
"""`/ferryman/operator/…` is the operator's own configuration."""
_HERE = "/ferryman/operator"


@dataclass(frozen=True)
class Overlap:
    """One thing that a document claims and that somebody else owns."""

    path: str
    text: str
    environment: str
    """That claims it; empty: the platform as a whole."""
    owner: tuple[str, str]
    known: bool = False
    """Whether this environment had it already, according to the records."""


@dataclass(frozen=True)
class Judged:
    """What `apply` refuses, and what it only warns of."""

    problems: list[Problem]
    warnings: list[Problem]


def judge(
    document: Platform,
    claims: Claims,
    before: Platform | None,
    stored: Mapping[str, Any],
    records: Sequence[Ownership],
    platforms: Collection[str],
) -> Judged:
    """Hold what a document claims against what others own.

    `before`: the document that it replaces, if that can be read; `stored`: the same as it is stored. `platforms`: the
    names of all platforms. What was owned twice already stays a warning as long as the part that names it stays as it
    is: everything that runs goes on after an update of Ferryman.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for found in overlaps(document.name, claims, records):
        if found.known and before is not None and _untouched(found, before, document):
            warnings.append((found.path, f"{found.text}. It was so before; a change of this part is refused"))
        else:
            problems.append((found.path, found.text))
    for name, part in claims.environments.items():
        problems += misplaced(document.name, name, part)
    own, known = dict(parameters_of_others(document.dump(), document.name)), {*platforms, OPERATOR}
    old = dict(parameters_of_others(stored, document.name))
    for path, owner in own.items():
        if owner in known:
            (warnings if old.get(path) == owner else problems).append((path, _parameter(document.name, owner)))
    if document.name == OPERATOR and not stored:
        problems.append(("metadata.name", f"is Ferryman's own: its parameters are under {_HERE}; use another name"))
    return Judged(problems, warnings)


def overlaps(platform: str, claims: Claims, records: Sequence[Ownership]) -> list[Overlap]:
    """Return everything that a document claims and that another platform, or two of its environments, own."""
    others, mine = _owners(platform, records), {item.environment: item for item in records if item.platform == platform}
    had = {name: {*item.things, *item.later} for name, item in mine.items()}
    found: list[Overlap] = []
    first: dict[str, str] = {}
    for name, part in [*claims.environments.items(), ("", claims.whole)]:
        for claim in dict.fromkeys(part.claims):
            owner = _owner(claim.thing, others)
            within = first.setdefault(claim.thing, name)
            if owner is None and within != name:
                owner = platform, within
            if owner is not None:
                known = claim.thing in had.get(name, ()) and (
                    owner[0] != platform or claim.thing in had.get(owner[1], ())
                )
                text = _text(claim.thing, claim.via, (platform, name), owner)
                found.append(Overlap(claim.path, text, name, owner, known))
    # An environment can name one thing at several places: say it once.
    once: dict[tuple[str, str], Overlap] = {}
    for item in found:
        once.setdefault((item.text, item.environment), item)
    return [*once.values(), *_tags(platform, claims, records)]


def elsewhere(platform: str, environment: str, part: Part, records: Sequence[Ownership]) -> list[Problem]:
    """Return what one environment has come to name and another one owns: its references have other values now."""
    others = _owners(platform, records, environment)
    own = {thing for item in records if _is(item, platform, environment) for thing in (*item.things, *item.later)}
    here = platform, environment
    return misplaced(platform, environment, part) + [
        (claim.path, _text(claim.thing, claim.via, here, owner))
        for claim in dict.fromkeys(part.claims)
        if claim.thing not in own and (owner := _owner(claim.thing, others)) is not None
    ]


def misplaced(platform: str, environment: str, part: Part) -> list[Problem]:
    """Return the roles whose IAM path says that they are another's.

    The operator may pass every role below the paths of its environments (Terraform's `roles_below_path`), so IAM does
    not tell them apart.
    """
    mine = (platform, environment), (platform, "")
    return [
        (one.path, _of_path(one, platform, environment)) for one in dict.fromkeys(part.placed) if one.owner not in mine
    ]


def with_later(record: Ownership, part: Part) -> Ownership | None:
    """Return an environment's record with what its references have come to name; None if it has all of it."""
    now = list(dict.fromkeys(claim.thing for claim in part.claims if claim.thing not in record.things))
    if set(now) <= set(record.later):
        return None
    return record.but(later=list(dict.fromkeys([*now, *record.later]))[: COUNTS["Ownership.later"]])


def owned_twice(records: Sequence[Ownership]) -> dict[tuple[str, str], list[str]]:
    """Return (platform, environment) → what somebody else owns, too, in words."""
    owners: dict[str, list[tuple[str, str]]] = {}
    for item in records:
        for thing in (*item.things, *item.later):
            owners.setdefault(thing, []).append((item.platform, item.environment))
    found: dict[tuple[str, str], list[str]] = {}
    for thing, several in owners.items():
        for one in several:
            for other in several:
                if other != one:
                    found.setdefault(one, []).append(f"{words(thing)} {_belongs(other, one[0])}")
    for item in records:
        if item.environment:
            claims = Claims(tags={item.environment: tuple(item.tags)}, repositories=_repositories(item, records))
            for overlap in _tags(item.platform, claims, records):
                found.setdefault((item.platform, item.environment), []).append(overlap.text)
    return found


def records_of(
    platform: str, claims: Claims, generation: int, before: Sequence[Ownership], at: datetime
) -> tuple[list[Ownership], list[Ownership]]:
    """Return the records of what a document claims, and those of `before` that are no longer needed.

    Where AWS did not tell everything, what was known before is kept.
    """
    old = {item.environment: item for item in before if item.platform == platform}
    made = []
    for name in [*claims.tags, ""]:
        part = claims.environments.get(name, Part()) if name else claims.whole
        known = old.pop(name, None)
        things = [claim.thing for claim in part.claims]
        if not part.complete and known is not None:
            things += [*known.things, *known.later]
        made.append(
            Ownership(
                platform=platform,
                environment=name,
                generation=generation,
                things=list(dict.fromkeys(things))[: COUNTS["Ownership.things"]],
                tags=list(claims.tags.get(name, ()))[: COUNTS["Ownership.tags"]],
                repositories=[] if name else list(claims.repositories)[: COUNTS["Ownership.repositories"]],
                complete=part.complete,
                at=at,
                rev=known.rev if known else 0,
            )
        )
    return made, list(old.values())


def outdated(applied: Iterable[AppliedPlatform], records: Sequence[Ownership]) -> list[AppliedPlatform]:
    """Return the platforms whose records are missing or are of another document than the applied one."""
    current = {(item.platform, item.environment, item.generation) for item in records}
    return [
        one
        for one in applied
        if any((one.name, name, one.generation) not in current for name in ["", *_environments(one.document)])
    ]


def _environments(document: Mapping[str, Any]) -> list[str]:
    spec = document.get("spec")
    environments = spec.get("environments") if isinstance(spec, Mapping) else None
    return list(environments) if isinstance(environments, Mapping) else []


def _owners(
    platform: str, records: Iterable[Ownership], environment: str | None = None
) -> dict[str, tuple[str, str]]:  # fmt: skip
    """Return thing → its owner, of those that are not this platform, or not this environment of it."""
    return {
        thing: (item.platform, item.environment)
        for item in records
        if item.platform != platform or (environment is not None and item.environment != environment)
        for thing in (*item.things, *item.later)
    }


def _owner(thing: str, owners: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    if thing in owners:
        return owners[thing]
    loose = anywhere(thing)
    if loose is None:
        return None
    if loose == thing:
        return next((owner for other, owner in owners.items() if anywhere(other) == thing), None)
    return owners.get(loose)


def _tags(platform: str, claims: Claims, records: Sequence[Ownership]) -> Iterator[Overlap]:
    """Find tags that two platforms would move in one repository. What is not moved may be shared."""
    mine = {item.environment: item for item in records if item.platform == platform}
    for item in records:
        if item.platform == platform or not item.tags:
            continue
        shared = sorted({*claims.repositories} & {*_repositories(item, records)})
        for name, tags in claims.tags.items():
            for tag in (tag for tag in tags if shared and tag in item.tags):
                had = mine.get(name)
                known = had is not None and tag in had.tags and {*shared} <= {*_repositories(had, records)}
                path = f"spec.environments.{name}.movingTags"
                text = _of_tag(tag, shared[0], name, (item.platform, item.environment))
                yield Overlap(path, text, name, (item.platform, item.environment), known)


def _repositories(item: Ownership, records: Iterable[Ownership]) -> tuple[str, ...]:
    return next((tuple(one.repositories) for one in records if _is(one, item.platform, "")), ())


def _is(item: Ownership, platform: str, environment: str) -> bool:
    return (item.platform, item.environment) == (platform, environment)


def _untouched(found: Overlap, before: Platform, document: Platform) -> bool:
    old, new = before.spec, document.spec
    if not found.environment:
        return (old.channels, old.github) == (new.channels, new.github)
    names = {found.environment, *([found.owner[1]] if found.owner[0] == document.name else [])}
    same = all(old.environments.get(name) == new.environments.get(name) for name in names)
    return same and old.components == new.components


_HOW = {
    "service": "A service is deployed by one environment",
    "family": "Name a task definition that only this environment uses: images of this one would run with the other's "
    "roles and secrets",
    "role": "Give the task definitions of each environment roles of their own: images of this one would run with the "
    "other's permissions",
    "schedule": "A schedule runs the images of one environment",
    "rule": "A rule runs the images of one environment",
    "secret": "Store a secret of its own for each platform",
    "topic": "Make a topic of its own for each platform",
}


def _text(thing: str, via: str, here: tuple[str, str], owner: tuple[str, str]) -> str:
    of = f" of task definition {via}" if via else ""
    way = f"{_HOW[thing.partition(':')[0]]}. Take it out of one of the two"
    return f"{words(thing)}{of} {_belongs(owner, here[0])}. {way}{_retire(owner, here[0])}"


def _of_path(one: Placed, platform: str, environment: str) -> str:
    path = "/".join(part for part in one.owner if part)
    return (
        f"IAM role {one.role} of task definition {one.via} {_belongs(one.owner, platform)}, as its path "
        f"/ferryman/{path}/ tells. {_HOW['role']}. Use one below /ferryman/{platform}/{environment}/"
    )


def _of_tag(tag: str, repository: str, name: str, owner: tuple[str, str]) -> str:
    kept = tag in (f"{name}-current", f"{name}-previous")
    way = "rename this environment, whose name it has" if kept else "use another tag here"
    return (
        f"tag {tag} of repository {repository} {_belongs(owner, '')}. Two platforms can read one repository, but only "
        f"one can move a tag in it: {way}{_retire(owner, '')}"
    )


def _belongs(owner: tuple[str, str], platform: str) -> str:
    name, environment = owner
    if name == platform:
        return f"belongs to environment {environment} of this platform"
    return f"belongs to {f'environment {environment} of ' if environment else ''}platform {name}"


def _retire(owner: tuple[str, str], platform: str) -> str:
    if owner[0] == platform:
        return ""
    delete = suggest("delete", "platform", owner[0], reason="REASON")
    return f"; if {owner[0]} is abandoned, an admin frees what it owns with {delete}"


def _parameter(name: str, owner: str) -> str:
    whose = "the operator" if owner == OPERATOR else f"platform {owner}"
    return f"names a parameter of {whose}: /ferryman/{owner}/ belongs to it. Write the value to /ferryman/{name}/…"
