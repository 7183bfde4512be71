"""Rules for a document as a whole: names exist, nothing is listed twice, promotion has no cycles. Pure."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ferryman.platform import tag_patterns
from ferryman.platform.environments import Environment, Job
from ferryman.platform.problem import Problem, closest
from ferryman.platform.values import SEMVER, is_reference

if TYPE_CHECKING:
    from ferryman.platform.document import Spec

_MOST_IN_A_WAVE = 40
_MOST_JOBS = 20
"""Per environment: each takes at most 4 KB of a plan and of the steps in the deployment's record."""
_NOT_A_MIGRATION = ("not-rollback-safe",)
"""Names that would make a migration's label the label of something else."""
_MIGRATIONS_AT_MOST = timedelta(hours=24)
"""The longest that the migrations of an environment may take together: an execution has room for that."""


def check(spec: "Spec") -> list[Problem]:
    """Return all problems of a document whose single fields are valid."""
    found = [*_repositories(spec), *_services(spec), *_jobs(spec), *_circles(spec), *_moving_tags(spec)]
    for name, environment in spec.environments.items():
        at = f"spec.environments.{name}"
        found += _references(spec, at, name, environment)
        found += _repetitions(at, environment)
        found += _promotion(at, environment)
        found += _gates(at, environment)
        found += _migrations(at, environment)
        found += _plain_http(at, environment)
    return found


def _references(spec: "Spec", at: str, name: str, environment: Environment) -> Iterator[Problem]:
    for w, wave in enumerate(environment.waves):
        for s, service in enumerate(wave.services):
            here = f"{at}.waves.{w}.services.{s}"
            yield from _exists(f"{here}.component", "component", service.component, spec.components)
            for i, item in enumerate(service.additional_components):
                path = f"{here}.additionalComponents.{i}.component"
                yield from _exists(path, "component", item.component, spec.components)
        for j, job in enumerate(wave.jobs):
            yield from _exists(f"{at}.waves.{w}.jobs.{j}.component", "component", job.component, spec.components)
    for name_of, migration in environment.every_migration.items():
        at_component = f"{at}.{environment.migration_path(name_of)}.component"
        yield from _exists(at_component, "component", migration.component, spec.components)
    for i, channel in enumerate(environment.notify):
        yield from _exists(f"{at}.notify.{i}", "channel", channel, spec.channels)
    if environment.promote_from is not None and environment.promote_from != name:
        others = [other for other in spec.environments if other != name]
        yield from _exists(f"{at}.promoteFrom", "environment", environment.promote_from, others)


def _exists(at: str, kind: str, name: str, known: Iterable[str]) -> Iterator[Problem]:
    names = list(known)
    if name not in names:
        listed = ", ".join(names) or f"none; add it under spec.{kind}s"
        yield at, f"no {kind} is named {name!r}; known {kind}s: {listed}{closest(name, names)}"


def _repositories(spec: "Spec") -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, component in spec.components.items():
        first = owners.setdefault(component.repository, name)
        if first != name:
            at = f"spec.components.{name}.repository"
            yield (
                at,
                f"{component.repository!r} already belongs to component {first!r}; each needs its own repository",
            )


def _services(spec: "Spec") -> Iterator[Problem]:
    places: dict[tuple[str, str], str] = {}
    for name, environment in spec.environments.items():
        for w, wave in enumerate(environment.waves):
            for s, service in enumerate(wave.services):
                at = f"spec.environments.{name}.waves.{w}.services.{s}.name"
                first = places.setdefault((environment.cluster, service.name), at)
                if first != at:
                    yield at, f"service {service.name!r} is already listed at {first}; a service can appear only once"


def _jobs(spec: "Spec") -> Iterator[Problem]:
    places: dict[tuple[str | None, ...], str] = {}
    for name, environment in spec.environments.items():
        names: set[str] = set()
        for w, wave in enumerate(environment.waves):
            at_wave = f"spec.environments.{name}.waves.{w}"
            if not wave.services and not wave.jobs:
                yield f"{at_wave}.services", "is empty; list at least one service or job"
            if len(wave.services) + len(wave.jobs) > _MOST_IN_A_WAVE:
                yield at_wave, f"has more than {_MOST_IN_A_WAVE} services and jobs; move some to another wave"
            for j, job in enumerate(wave.jobs):
                at = f"{at_wave}.jobs.{j}"
                yield from _job(at, job)
                if job.name in names:
                    yield f"{at}.name", f"{job.name!r} appears twice; remove or rename one"
                names.add(job.name)
                place = (job.schedule, job.group) if job.schedule else (None, job.rule, job.event_bus, job.target)
                first = places.setdefault(place, at)
                if first != at:
                    yield (
                        at,
                        f"{job.schedule or job.rule!r} is already listed at {first}; it can appear only once",
                    )
        if not environment.services:
            yield (
                f"spec.environments.{name}.waves",
                "have no service; only services that run can verify a release",
            )
        if len(names) > _MOST_JOBS:
            yield f"spec.environments.{name}.waves", f"have {len(names)} jobs; at most {_MOST_JOBS} are allowed"


def _job(at: str, job: Job) -> Iterator[Problem]:
    if (job.schedule is None) == (job.rule is None):
        yield at, "needs either `schedule` (EventBridge Scheduler) or `rule` (an EventBridge rule)"
    for value, field, other in (
        (job.group != "default", "group", "schedule"),
        (job.event_bus != "default", "eventBus", "rule"),
        (job.target is not None, "target", "rule"),
    ):
        if value and getattr(job, other) is None:
            yield f"{at}.{field}", f"is a field of a {other}; remove it, or name the {other}"


def _repetitions(at: str, environment: Environment) -> Iterator[Problem]:
    lists: dict[str, list[tuple[str, str]]] = {
        "waves": [(f"waves.{i}.name", wave.name) for i, wave in enumerate(environment.waves)],
        "migrations": [(f"migrations.{i}.name", item.name) for i, item in enumerate(environment.migrations)],
        "smokeTests": [(f"smokeTests.{i}.name", test.name) for i, test in enumerate(environment.smoke_tests)],
        "triggers": [(f"triggers.{i}", trigger) for i, trigger in enumerate(environment.triggers)],
        "notify": [(f"notify.{i}", channel) for i, channel in enumerate(environment.notify)],
        "movingTags": [(f"movingTags.{i}", tag) for i, tag in enumerate(environment.moving_tags)],
    }
    for entries in lists.values():
        seen: set[str] = set()
        for path, value in entries:
            if value in seen:
                yield f"{at}.{path}", f"{value!r} appears twice; remove or rename one"
            seen.add(value)


def _circles(spec: "Spec") -> Iterator[Problem]:
    for start in spec.environments:
        seen = [start]
        current = spec.environments[start].promote_from
        while current in spec.environments and current not in seen:
            seen.append(current)
            current = spec.environments[current].promote_from
        if current == start:
            path = " → ".join([*seen, start])
            message = f"promotion forms a cycle ({path}); one environment must come first, without promoteFrom"
            yield f"spec.environments.{start}.promoteFrom", message


def _promotion(at: str, environment: Environment) -> Iterator[Problem]:
    if "promotion" in environment.triggers and environment.promote_from is None:
        yield (
            f"{at}.promoteFrom",
            "is missing: the trigger `promotion` requires the environment that verifies releases first",
        )
    if "push" in environment.triggers and environment.promote_from is not None:
        yield (
            f"{at}.triggers.{environment.triggers.index('push')}",
            f"starts a release before {environment.promote_from!r} verified it; use promotion, or remove promoteFrom",
        )


def _gates(at: str, environment: Environment) -> Iterator[Problem]:
    if environment.soak is not None and environment.promote_from is None:
        yield f"{at}.soak", "requires promoteFrom: a release soaks in the environment that verified it"
    if environment.freeze is not None:
        seen: set[str] = set()
        for i, window in enumerate(environment.freeze.windows):
            if window.name in seen:
                yield f"{at}.freeze.windows.{i}.name", f"{window.name!r} appears twice; remove or rename one"
            seen.add(window.name)


def _migrations(at: str, environment: Environment) -> Iterator[Problem]:
    if environment.migration is not None and environment.migrations:
        yield f"{at}.migrations", "cannot be combined with migration; give that one a name and add it to migrations"
        return
    for name, migration in environment.every_migration.items():
        if migration.downgrade and not any("{revision}" in part for part in migration.downgrade):
            here = f"{at}.{environment.migration_path(name)}.downgrade"
            yield here, "has no {revision}; add it in place of the target revision"
    for i, named in enumerate(environment.migrations):
        if named.name in _NOT_A_MIGRATION:
            yield f"{at}.migrations.{i}.name", f"{named.name!r} already has a meaning in image labels; use another name"
    total = sum((item.timeout for item in environment.migrations), timedelta())
    if total > _MIGRATIONS_AT_MOST:
        hours = int(_MIGRATIONS_AT_MOST.total_seconds() // 3600)
        yield f"{at}.migrations", f"the timeouts add up to more than {hours}h, which is the limit; shorten them"


def _moving_tags(spec: "Spec") -> Iterator[Problem]:
    # `apply` refuses a pattern that may take long; here it would be tried on whatever tags a document names.
    quick = tag_patterns.problem(spec.tag_pattern) is None
    kept = {f"{name}-{suffix}": name for name in spec.environments for suffix in ("current", "previous")}
    owners: dict[str, str] = {}
    for name, environment in spec.environments.items():
        for i, tag in enumerate(environment.moving_tags):
            at = f"spec.environments.{name}.movingTags.{i}"
            owner = owners.setdefault(tag, name)
            if owner != name:
                yield at, f"{tag!r} already follows {owner!r}; a tag can follow only one environment"
            if tag in kept:
                yield at, f"{tag!r} is maintained by Ferryman for {kept[tag]!r}; remove it"
            names_release = quick and tag_patterns.full_match(spec.tag_pattern, tag) is not None
            if names_release or SEMVER.fullmatch(tag):
                yield at, f"{tag!r} looks like a version, so pushing it would start a release; use {name}-latest"


def _plain_http(at: str, environment: Environment) -> Iterator[Problem]:
    for i, test in enumerate(environment.smoke_tests):
        if not is_reference(test.url) and urlsplit(test.url).scheme == "http" and not test.allow_http:
            yield f"{at}.smokeTests.{i}.url", "uses plain http; use https, or add allowHttp: true"
