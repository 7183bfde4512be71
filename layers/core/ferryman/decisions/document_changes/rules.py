"""How a change of a gate is judged and worded, field by field. Pure. Called by `compare`.

A rule yields nothing where a change means nothing, such as another order of a list.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from ferryman.decisions.document_changes import freeze_rules, people_rules
from ferryman.decisions.document_changes.change import Change, Place, shown
from ferryman.platform import ChatChannel, Migration, Platform, ScanPolicy, SmokeTest
from ferryman.platform.field_classes import class_of

Rule = Callable[[Any, Any, str, Place], Iterator[Change]]


def changed(what: str, before: Any, after: Any, place: Place) -> str:
    """Say that a field has another value."""
    return f"{place.name}: {what} changes from {shown(before)} to {shown(after)}"


def of_platform(place: Place) -> Iterator[Change]:
    """Yield what changes for an environment in the parts that all environments share."""
    before, after = place.before.spec, place.after.spec
    if before.tag_pattern != after.tag_pattern:
        text = f"other tags name a release: tagPattern changes from {shown(before.tag_pattern)} to "
        yield place.looser("spec.tagPattern", text + shown(after.tag_pattern))
    yield from _github(place)
    yield from _channels(place)


def _github(place: Place) -> Iterator[Change]:
    before, after = place.before.spec.github, place.after.spec.github
    if before is None or after is None:
        if before is not after:
            yield place.looser("spec.github", changed("the project that approval pages link to", before and
                               before.repository, after and after.repository, place))  # fmt: skip
        return
    for field in type(before).model_fields:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            path = f"spec.github.{type(before).model_fields[field].alias or field}"
            gate = class_of(type(before), field) == "gate"
            text = changed(path.removeprefix("spec."), old, new, place) if gate else "the key to GitHub changes"
            yield (place.looser if gate else place.neutral)(path, text)


def _signers(document: Platform) -> dict[tuple[str, str, str], str]:
    """Return what Slack's presses are checked with → the channel that says so; any channel of the platform counts."""
    return {
        (channel.signing_secret_arn, channel.team or "", channel.api_url): name
        for name, channel in document.spec.channels.items()
        if isinstance(channel, ChatChannel) and channel.signing_secret_arn
    }


def _channels(place: Place) -> Iterator[Change]:
    known = _signers(place.before)
    for signer, name in _signers(place.after).items():
        if signer not in known:
            text = f"{place.name}: decisions in Slack count when they are signed with the secret of the channel {name}"
            yield place.looser(f"spec.channels.{name}.signingSecretArn", text)
    told = [name for name in place.old.notify if name in place.new.notify]
    for name in told:
        before, after = place.before.spec.channels[name], place.after.spec.channels[name]
        if before == after:
            continue
        fields = [field for field in type(before).model_fields if getattr(before, field) != getattr(after, field, None)]
        gates = [field for field in fields if class_of(type(before), field) == "gate"]
        if gates or type(before) is not type(after):
            yield place.looser(f"spec.channels.{name}", f"messages about {place.name} to {name} go somewhere else")
        else:
            yield place.neutral(f"spec.channels.{name}", f"the channel {name} changes")


def _flag(open_: str, shut: str, *, open_when: bool) -> Rule:
    """Judge a switch that opens a gate when it has one of its values."""

    def rule(_before: bool, after: bool, path: str, place: Place) -> Iterator[Change]:
        opens = after is open_when
        yield (place.looser if opens else place.tighter)(path, f"{place.name}: {open_ if opens else shut}")

    return rule


def _triggers(before: list[str], after: list[str], path: str, place: Place) -> Iterator[Change]:
    by = {"push": "a push", "tag": "a semver tag", "promotion": "a promotion", "manual": "a person"}
    for trigger in (item for item in after if item not in before):
        yield place.looser(path, f"{by[trigger]} can start a deployment to {place.name}")
    for trigger in (item for item in before if item not in after):
        yield place.tighter(path, f"{by[trigger]} can no longer start a deployment to {place.name}")


def _promote_from(before: str | None, after: str | None, path: str, place: Place) -> Iterator[Change]:
    if before is None:
        yield place.tighter(path, f"{place.name} takes only releases that {after} has verified")
    elif after is None:
        yield place.looser(path, f"{place.name} no longer requires that {before} has verified a release")
    else:
        yield place.looser(path, f"{place.name} takes releases that {after} has verified, instead of {before}")


def _soak(before: timedelta | None, after: timedelta | None, path: str, place: Place) -> Iterator[Change]:
    longer = (after or timedelta()) > (before or timedelta())
    text = f"{place.name}: soak {shown(before)} → {shown(after)}"
    yield (place.tighter if longer else place.looser)(path, text)


def _scan(before: ScanPolicy | None, after: ScanPolicy | None, path: str, place: Place) -> Iterator[Change]:
    if after is None:
        yield place.looser(path, f"image scans no longer block a release in {place.name}")
    else:
        yield from _severities(before.block if before else [], after.block, path, place)


def _severities(before: Sequence[str], after: Sequence[str], path: str, place: Place) -> Iterator[Change]:
    if gone := [severity for severity in before if severity not in after]:
        text = f"scan findings of severity {', '.join(gone)} no longer block a release in {place.name}"
        yield place.looser(path, text)
    if more := [severity for severity in after if severity not in before]:
        yield place.tighter(path, f"scan findings of severity {', '.join(more)} block a release in {place.name}")


def _smoke_tests(before: list[SmokeTest], after: list[SmokeTest], path: str, place: Place) -> Iterator[Change]:
    old, new = {test.name: test for test in before}, {test.name: test for test in after}
    for name in old.keys() - new.keys():
        yield place.looser(path, f"{place.name} no longer runs the smoke test {name}")
    for name in new.keys() - old.keys():
        yield place.tighter(path, f"{place.name} also runs the smoke test {name}")
    for name in sorted(old.keys() & new.keys()):
        fields = [field for field in SmokeTest.model_fields if getattr(old[name], field) != getattr(new[name], field)]
        if any(class_of(SmokeTest, field) == "gate" for field in fields):
            named = ", ".join(SmokeTest.model_fields[field].alias or field for field in fields)
            yield place.looser(path, f"the smoke test {name} of {place.name} checks something else ({named})")
        elif fields:
            yield place.neutral(path, f"the smoke test {name} of {place.name} is more or less patient")


def _waves(_before: Any, _after: Any, path: str, place: Place) -> Iterator[Change]:
    # What leaves the environment is told by `resources`.
    yield place.neutral(path, f"waves of {place.name} change; whoever approves the next deployment sees what it does")


def _migration(before: Migration | None, after: Migration | None, path: str, place: Place) -> Iterator[Change]:
    yield from _migrations([before] if before else [], [after] if after else [], path, place)


def _migrations(before: list[Migration], after: list[Migration], path: str, place: Place) -> Iterator[Change]:
    old, new = ({getattr(item, "name", ""): item for item in items} for items in (before, after))
    yield place.neutral(path, f"migrations of {place.name} change; whoever approves the next deployment sees them")
    for name, item in new.items():
        earlier = old[name].current if name in old else None
        if item.current != earlier:
            yield from _current(earlier, item.current, f"{path}.current", place)


def _current(_before: list[str] | None, after: list[str] | None, path: str, place: Place) -> Iterator[Change]:
    if after is None:
        yield place.tighter(path, f"`migrate current` no longer runs a command in {place.name}")
    else:
        text = f"`migrate current`, which asks nobody, runs another command in {place.name}: {shown(after)}"
        yield place.looser(path, text)


def _definition(before: str, after: str, path: str, place: Place) -> Iterator[Change]:
    # That the environment gives up a family is told by `resources`.
    yield place.neutral(path, changed("the task definition of the migration", before, after, place))


def _on_base_change(_before: str, after: str, path: str, place: Place) -> Iterator[Change]:
    opens = after == "deploy"
    text = "a new base task definition starts a deployment" if opens else "a new base task definition is only reported"
    yield (place.looser if opens else place.tighter)(path, f"{place.name}: {text}")


def _notify(before: list[str], after: list[str], path: str, place: Place) -> Iterator[Change]:
    for name in (item for item in before if item not in after):
        yield place.looser(path, f"messages about {place.name} no longer go to {name}")
    for name in (item for item in after if item not in before):
        yield place.tighter(path, f"messages about {place.name} also go to {name}")


RULES: dict[str, Rule] = {
    "ApprovalPolicy.allow_unverified": _flag(
        "anyone with the shared link can approve", "only listed people can approve", open_when=True
    ),
    "ApprovalPolicy.approvers": people_rules.approvers,
    "ApprovalPolicy.expires": people_rules.expires,
    "ApprovalPolicy.for_rollback": _flag(
        "a rollback needs no approval", "a rollback needs approval, too", open_when=False
    ),
    "ApprovalPolicy.required": people_rules.required,
    "ApprovalPolicy.requester_may_approve": _flag(
        "people can approve what they requested themselves",
        "people can't approve what they requested themselves",
        open_when=True,
    ),
    "ApprovalPolicy.unknown_requester": people_rules.unknown_requester,
    "Environment.approval": people_rules.approval,
    "Environment.freeze": freeze_rules.freeze,
    "Environment.migration": _migration,
    "Environment.migrations": _migrations,
    "Environment.notify": _notify,
    "Environment.on_base_change": _on_base_change,
    "Environment.promote_from": _promote_from,
    "Environment.scan": _scan,
    "Environment.smoke_tests": _smoke_tests,
    "Environment.soak": _soak,
    "Environment.triggers": _triggers,
    "Environment.waves": _waves,
    "ScanPolicy.block": _severities,
    "Migration.current": _current,
    "Migration.task_definition": _definition,
    "FreezePolicy.windows": freeze_rules.windows,
}
