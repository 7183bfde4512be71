"""What a document claims, from what AWS says about it; and what an environment may still touch when it deploys.

Called by `steps.verify`, `steps.begin_deployment` and `steps.ownership_records`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ferryman.clients.aws_types import ECSClient, MakeClient, TaskDefinition
from ferryman.clients.ssm import References
from ferryman.decisions import ownership
from ferryman.errors import Conflict, ReferenceUnresolved
from ferryman.platform import ChatChannel, Environment, Platform, TopicChannel, claims
from ferryman.platform.claims import Claim, Claims, Part, Placed
from ferryman.records import AppliedPlatform, Ownership, OwnershipRegister, things
from ferryman.records.writes import Save, Unchanged, Write
from ferryman.steps import ownership_records, verify
from ferryman.steps.verify import Problem, Survey
from ferryman.store.table import Store


def of_environment(environment: Environment, seen: Survey, at: str) -> Part:
    """Return what an environment claims: services, and task definitions and roles that its tasks start with. Pure.

    Names are those in AWS's answers, so that it does not matter how the document spells them.
    """
    found = [*_services(environment, seen, at), *_migrations(environment, seen, at), *_jobs(environment, seen, at)]
    missing = [service.name for service in environment.services if service.name not in seen.services]
    return Part(
        tuple(found), complete=not seen.unresolved and not missing, placed=tuple(_placed(environment, seen, at))
    )


def of_document(document: Platform, surveys: Mapping[str, Survey], references: References) -> Claims:
    """Return what a document claims: `surveys` is what was read of each environment."""
    parts = {
        name: of_environment(document.environment(name), seen, f"spec.environments.{name}")
        for name, seen in surveys.items()
    }
    return replace(claims.of_document(document), environments=parts, whole=_whole(document, references))


def read(document: Platform, *, ecs: ECSClient, references: References, client: MakeClient) -> Claims:
    """Ask AWS what a document claims."""
    surveys = {
        name: verify.survey(
            environment, ecs=ecs, references=references, client=client, at=f"spec.environments.{name}"
        )
        for name, environment in document.spec.environments.items()
    }  # fmt: skip
    return of_document(document, surveys, references)


@dataclass(frozen=True)
class Standing:
    """What an environment that deploys owns, and what others own."""

    register: OwnershipRegister
    records: list[Ownership]
    own: Ownership | None
    """None: the records are of another document, and reconcile makes them new."""
    environment: str
    platform: str

    @classmethod
    def of(cls, store: Store, applied: AppliedPlatform, environment: str, at: datetime) -> "Standing":
        """Read it; raise Conflict when a newer document has been applied meanwhile."""
        register = store.ownership_register(at)
        records, _ = ownership_records.current(store)
        own = next((i for i in records if (i.platform, i.environment) == (applied.name, environment)), None)
        if own is not None and own.generation > applied.generation:
            raise Conflict(f"platform {applied.name} was applied again; the next attempt reads it again")
        current = own if own is not None and own.generation == applied.generation else None
        return cls(register, records, current, environment, applied.name)

    def problems(self, part: Part) -> list[Problem]:
        """Return what this environment may not touch: somebody else owns it."""
        if self.own is None:
            return ownership.misplaced(self.platform, self.environment, part)
        return ownership.elsewhere(self.platform, self.environment, part, self.records)

    def writes(self, part: Part, at: datetime) -> list[Write]:
        """Return what goes into the transaction that freezes the plan, so that both stand or neither does."""
        if self.own is None:
            return []
        after = ownership.with_later(self.own, part)
        return [Unchanged(self.own)] if after is None else [Save(after), Save(self.register.but(at=at))]


def _services(environment: Environment, seen: Survey, at: str) -> Iterator[Claim]:
    for w, wave in enumerate(environment.waves):
        for s, service in enumerate(wave.services):
            here, live = f"{at}.waves.{w}.services.{s}", seen.services.get(service.name)
            cluster = live["clusterArn"] if live else seen.cluster or things.UNKNOWN
            yield Claim(things.service(cluster, service.name), f"{here}.name")
            yield from _definition(seen.bases.get(service.name), f"{here}.baseTaskDefinition")


def _migrations(environment: Environment, seen: Survey, at: str) -> Iterator[Claim]:
    for name in environment.every_migration:
        read_of = seen.migrations.get(name)
        path = f"{at}.{environment.migration_path(name)}.taskDefinition"
        yield from _definition(read_of.base if read_of else None, path)


def _jobs(environment: Environment, seen: Survey, at: str) -> Iterator[Claim]:
    for w, wave in enumerate(environment.waves):
        for j, job in enumerate(wave.jobs):
            here, found = f"{at}.waves.{w}.jobs.{j}", seen.jobs.get(job.name)
            if job.schedule is not None:
                yield Claim(things.schedule(job.group, job.schedule), f"{here}.schedule")
            else:
                yield Claim(things.rule(job.event_bus, job.rule or ""), f"{here}.rule")
            if found is not None:
                yield from _definition(found.base, f"{here}.baseTaskDefinition")
                yield from _definition(found.live, here)


def _definition(found: TaskDefinition | None, path: str) -> Iterator[Claim]:
    if found is None:
        return
    name = found["family"]
    yield Claim(things.family(name), path)
    for role in (found.get("taskRoleArn"), found.get("executionRoleArn")):
        if role:
            yield Claim(things.role(role), path, via=name)


def _placed(environment: Environment, seen: Survey, at: str) -> Iterator[Placed]:
    """Find the roles whose IAM path tells whose they are."""
    definitions: list[tuple[TaskDefinition | None, str]] = []
    for w, wave in enumerate(environment.waves):
        for s, service in enumerate(wave.services):
            definitions.append((seen.bases.get(service.name), f"{at}.waves.{w}.services.{s}.baseTaskDefinition"))
        for j, job in enumerate(wave.jobs):
            here, found = f"{at}.waves.{w}.jobs.{j}", seen.jobs.get(job.name)
            if found is not None:
                definitions += [(found.base, f"{here}.baseTaskDefinition"), (found.live, here)]
    for name in environment.every_migration:
        read_of = seen.migrations.get(name)
        path = f"{at}.{environment.migration_path(name)}.taskDefinition"
        definitions.append((read_of.base if read_of else None, path))
    for definition, path in definitions:
        for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")) if definition else ():
            one = claims.placed(role, path, definition["family"]) if role and definition else None
            if one is not None:
                yield one


def _whole(document: Platform, references: References) -> Part:
    found: list[Claim] = []
    complete = True
    for path, value, is_topic in _named(document):
        try:
            arn = references.text(value)
        except ReferenceUnresolved:
            complete = False
            continue
        found += [Claim(thing, path) for thing in ([things.topic(arn)] if is_topic else things.secrets(arn))]
    return Part(tuple(found), complete)


def _named(document: Platform) -> Iterator[tuple[str, str, bool]]:
    """Return path, value, and whether it is a topic rather than a secret."""
    for name, channel in document.spec.channels.items():
        at = f"spec.channels.{name}"
        if isinstance(channel, TopicChannel):
            yield f"{at}.topicArn", channel.topic_arn, True
        elif isinstance(channel, ChatChannel):
            secrets = {
                "webhookSecretArn": channel.webhook_secret_arn,
                "botTokenSecretArn": channel.bot_token_secret_arn,
                "signingSecretArn": channel.signing_secret_arn,
            }
            yield from ((f"{at}.{field}", value, False) for field, value in secrets.items() if value)
    github = document.spec.github
    if github is not None and github.token_secret_arn is not None:
        yield "spec.github.tokenSecretArn", github.token_secret_arn, False
    if github is not None and github.app is not None:
        yield "spec.github.app.privateKeySecretArn", github.app.private_key_secret_arn, False
