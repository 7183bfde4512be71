"""How a change of the approval policy is judged and worded. Pure. Called by `rules`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ferryman.decisions.document_changes.change import Change, Place, shown
from ferryman.platform import Approver
from ferryman.platform.identities import folded

_IDENTIFIERS = ("email", "slack", "arn")


def approval(before: Any, after: Any, path: str, place: Place) -> Iterator[Change]:
    """Judge a policy that appears or disappears; what changes inside it has rules of its own."""
    if after is None:
        yield place.looser(path, f"{place.name} no longer asks for approval")
    elif before is None:
        yield place.tighter(path, f"{place.name} asks for approval")


def required(before: int, after: int, path: str, place: Place) -> Iterator[Change]:
    """Judge how many people must agree."""
    people = f"{after} {'person' if after == 1 else 'people'} instead of {before}"
    yield (place.tighter if after > before else place.looser)(path, f"{place.name} asks {people}")


def expires(before: timedelta, after: timedelta, path: str, place: Place) -> Iterator[Change]:
    """Judge how long a request stays open: the shorter, the fewer chances."""
    text = f"a request for {place.name} stays open for {shown(after)} instead of {shown(before)}"
    yield (place.tighter if after < before else place.looser)(path, text)


def unknown_requester(_before: str, after: str, path: str, place: Place) -> Iterator[Change]:
    """Judge what happens to a request of somebody unknown, who may be an approver in disguise."""
    if after == "refuse":
        yield place.tighter(path, f"{place.name} refuses requests of people whom Ferryman does not know")
    else:
        yield place.looser(path, f"people whom Ferryman does not know can request deployments to {place.name}")


def approvers(before: list[Approver], after: list[Approver], path: str, place: Place) -> Iterator[Change]:
    """Judge who can approve. Whoever is identified in another way may be somebody else, or pass for nobody."""
    old, new = ({folded(person.name): person for person in people} for people in (before, after))
    for name, person in new.items():
        if name not in old:
            yield place.looser(path, f"{person.name} can approve for {place.name}")
    for name, person in old.items():
        if name not in new:
            yield place.tighter(path, f"{person.name} can no longer approve for {place.name}")
    for name in (name for name in old if name in new):
        for field in _IDENTIFIERS:
            earlier, later = getattr(old[name], field), getattr(new[name], field)
            if earlier != later:
                # Also when it is removed: by their ARN people are kept from approving what they requested.
                text = f"{new[name].name}, who can approve for {place.name}, gets another {field}: "
                yield place.looser(path, f"{text}{shown(earlier)} → {shown(later)}")
