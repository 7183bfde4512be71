"""What `apply` refuses, or warns of, although the parser takes it. Pure.

Mistakes that no release could come out of, and more than the operator can keep records of (`records.limits`).

Called by `api.apply` only. Documents that an earlier version stored are parsed without it and keep working.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from ferryman.platform import pattern_examples, remedies, tag_patterns
from ferryman.platform.document import Platform
from ferryman.platform.environments import CONTAINERS, Environment, Migration, Service
from ferryman.platform.values import is_reference
from ferryman.records import limits
from ferryman.text import byte_length

Problem = tuple[str, str]

_PATTERN = "spec.tagPattern"


def problems_of(document: Platform, known_tags: Iterable[str] = ()) -> list[Problem]:
    """Return the path of each mistake and how to correct it; empty when there is none.

    `known_tags`: tags of the platform's releases. A pattern that has made releases of them is not refused.
    """
    found = [
        (f"spec.components.{name}.repository", _without_registry(component.repository, alone))
        for name, component in document.spec.components.items()
        if (alone := remedies.without_registry(component.repository)) is not None
    ]
    pattern = document.spec.tag_pattern
    if (why := tag_patterns.problem(pattern)) is not None:
        return [*found, (_PATTERN, f"may take very long for some tags, and {why}")]
    semver = pattern_examples.semver_matches(pattern)
    if semver and not any(pattern_examples.version_matches(pattern, known_tags)):
        found.append((_PATTERN, _only_semver(semver)))
    return [
        *found,
        *_containers(document),
        *_too_much(document),
        *_listed_as_one(document),
        *_placeholders(document),
        *_senders(document),
    ]


def warnings_of(document: Platform, known_tags: Iterable[str] = ()) -> list[Problem]:
    """Return the path of each part that is legal and likely to surprise, and how; empty when there is none."""
    return [*_unverified(document), *_surprising_tags(document, known_tags)]


def _surprising_tags(document: Platform, known_tags: Iterable[str]) -> list[Problem]:
    pattern = document.spec.tag_pattern
    if tag_patterns.problem(pattern) is not None:
        return []
    semver = pattern_examples.semver_matches(pattern)
    if not semver:
        semver = [text for text in pattern_examples.spelled(pattern) if pattern_examples.is_semver(pattern, text)]
    if not semver:
        return []
    versions = list(islice(pattern_examples.version_matches(pattern, known_tags), 1))
    instead = f"; tags such as {versions[0]} are versions" if versions else ""
    told = (
        f"also matches semver tags such as {semver[0]}. Ferryman takes each of them as a second name for a release and "
        f"never as a version, so an image with no other tag is in no release{instead}. Check your tags with "
        "`tags`"
    )
    return [(_PATTERN, told)]


def _unverified(document: Platform) -> Iterator[Problem]:
    for name, environment in document.spec.environments.items():
        policy = environment.approval
        if policy is not None and policy.allow_unverified and policy.required > 1:
            told = (
                "one visitor can type several names, so unverified approvals don't prove that several people approved"
            )
            yield f"spec.environments.{name}.approval.allowUnverified", f"with required: {policy.required}, {told}"


def _only_semver(matched: list[str]) -> str:
    return (
        f"matches semver tags such as {matched[0]} and, as far as examples tell, no others. A semver tag is a second "
        "name for a release and never a version, so no tag could become a release; tag the images with their commit, "
        "too, as in (?P<version>[0-9a-f]{7,40}), or with versions without the leading v"
    )


def _too_much(document: Platform) -> Iterator[Problem]:
    for name, environment in document.spec.environments.items():
        at = f"spec.environments.{name}"
        services, jobs = len(environment.services), len(environment.jobs)
        if services + jobs > limits.MOST_SERVICES:
            named = f"{services} services and {jobs} jobs" if jobs else f"{services} services"
            most = f"one environment can have {limits.MOST_SERVICES}"
            yield f"{at}.waves", f"has {named}, and {most}; move some of them to a platform of their own"
        channels = len(environment.notify)
        if channels > limits.MOST_CHANNELS:
            most = f"one environment can notify {limits.MOST_CHANNELS}"
            yield f"{at}.notify", f"names {channels} channels, and {most}; let one channel reach several people"
        tags = len(environment.moving_tags)
        if tags > limits.MOST_MOVING_TAGS:
            yield f"{at}.movingTags", f"has {tags} tags, and one environment can move {limits.MOST_MOVING_TAGS}"
        yield from _too_long(environment, f"{at}.approval.approvers")
    declared = len(document.spec.channels)
    if declared > limits.MOST_DECLARED_CHANNELS:
        yield "spec.channels", f"has {declared} channels, and one platform can have {limits.MOST_DECLARED_CHANNELS}"


def _too_long(environment: Environment, at: str) -> Iterator[Problem]:
    """Addresses and ARNs: no real one is so long, and an approval holds those of all approvers."""
    approvers = environment.approval.approvers if environment.approval is not None else []
    for number, approver in enumerate(approvers):
        for field, value, most in (("email", approver.email, limits.ADDRESS), ("arn", approver.arn, limits.WHO)):
            if value is not None and byte_length(value) > most:
                yield f"{at}.{number}.{field}", f"has {byte_length(value)} bytes, and at most {most} are possible"


def _listed_as_one(document: Platform) -> Iterator[Problem]:
    """Find lists of ids whose items are lists themselves: no subnet and no security group has such an id."""
    for name, environment in document.spec.environments.items():
        for migration_name, migration in environment.every_migration.items():
            at = f"spec.environments.{name}.{environment.migration_path(migration_name)}.network"
            network = migration.network
            for field, values in (("subnets", network.subnets), ("securityGroups", network.security_groups)):
                for i, value in enumerate(values if isinstance(values, list) else []):
                    if re.search(r"[\[\],\s\"']", value.strip()):
                        instead = remedies.list_in_text(value) or "one id for each item"
                        yield f"{at}.{field}.{i}", f"{value!r} is not one id; write {field}: {instead} without quotes"


def _placeholders(document: Platform) -> Iterator[Problem]:
    """Find placeholders that nothing fills in: a smoke test would wait for a version named `{version}`."""
    for name, environment in document.spec.environments.items():
        at = f"spec.environments.{name}"
        for i, check in enumerate(environment.smoke_tests):
            for wrong in remedies.placeholders(check.expect.model_dump()):
                told = f"{wrong} is not filled in; write {{release}} for the version that is being deployed"
                yield f"{at}.smokeTests.{i}.expect", told
        for migration_name, migration in environment.every_migration.items():
            # Only a whole word: a shell fills in what it finds inside of one, as in `sh -c "echo ${VERSION}"`.
            whole = (word for word in migration.command or [] if not word.startswith("$"))
            for wrong in (word for word in whole if next(remedies.placeholders(word), None) == word):
                told = f"{wrong} is not filled in; the migration runs in the image of the release, so leave it out"
                yield f"{at}.{environment.migration_path(migration_name)}.command", told


def _without_registry(repository: str, name: str) -> str:
    return (
        f"{repository!r} begins with a registry, so no push would ever match it; write the repository's name alone: "
        f"{name or 'scr-api'}"
    )


_CONTAINER = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
"""Names that RegisterTaskDefinition takes (botocore's ECS model, ContainerDefinition)."""


def _containers(document: Platform) -> Iterator[Problem]:
    """Find lists of containers that no task definition can have."""
    for name, environment in document.spec.environments.items():
        at = f"spec.environments.{name}"
        for w, wave in enumerate(environment.waves):
            for s, service in enumerate(wave.services):
                here = f"{at}.waves.{w}.services.{s}"
                yield from _listed(here, service)
                yield from _additional(here, service)
        for migration_name, migration in environment.every_migration.items():
            yield from _listed(f"{at}.{environment.migration_path(migration_name)}", migration)


def _listed(at: str, declared: Service | Migration) -> Iterator[Problem]:
    yield from _names(f"{at}.containers", declared.containers or [])


def _additional(at: str, service: Service) -> Iterator[Problem]:
    most = CONTAINERS - 1
    if len(service.additional_components) > most:
        yield f"{at}.additionalComponents", f"has more than {most} items; ECS allows {CONTAINERS} containers"
    seen, listed = {service.component}, set(service.containers or [])
    for i, item in enumerate(service.additional_components):
        path = f"{at}.additionalComponents.{i}"
        if item.component in seen:
            yield f"{path}.component", f"{item.component!r} is already a component of this service; remove one"
        seen.add(item.component)
        yield from _names(f"{path}.containers", item.containers or [])
        for n, name in enumerate(item.containers or []):
            if name in listed:
                yield f"{path}.containers.{n}", f"container {name!r} is listed for another component, too; remove one"
        listed |= set(item.containers or [])


def _names(at: str, names: list[str]) -> Iterator[Problem]:
    if len(names) > CONTAINERS:
        yield at, f"has more than {CONTAINERS} containers; ECS allows {CONTAINERS} in a task definition"
    for i, name in enumerate(names):
        if not _CONTAINER.fullmatch(name):
            yield f"{at}.{i}", "is not the name of a container: letters, digits, hyphens and underscores, at most 255"
        elif name in names[:i]:
            yield f"{at}.{i}", f"{name!r} appears twice; remove one"


def _senders(document: Platform) -> Iterator[Problem]:
    """Find addresses of approvals that are none: SES would refuse each mail, when somebody waits for it."""
    for name, environment in document.spec.environments.items():
        policy = environment.approval
        sender = policy.sender if policy is not None else None
        if sender is not None and not is_reference(sender) and "@" not in sender.strip("@"):
            told = f"{sender[:60]!r} is not an email address; write name@example.com, or ssm:/path to one"
            yield f"spec.environments.{name}.approval.from", told
