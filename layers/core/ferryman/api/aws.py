"""What the API asks of AWS besides the table: the real `Outside`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ferryman.access.people import People
from ferryman.api.views.live_services import Counts, Definitions
from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import MakeClient
from ferryman.decisions.schema_compatibility import ImageLabels
from ferryman.decisions.snapshot import ImageScan
from ferryman.errors import NotFound, ReferenceUnresolved
from ferryman.ids import Clock, NewId
from ferryman.platform import Platform
from ferryman.platform.claims import Claims
from ferryman.platform.problem import Findings, Problem
from ferryman.records import Plan, Release, step_keys
from ferryman.store.table import Store


@dataclass(frozen=True)
class Aws:
    """The real outside. `client` makes a boto3 client at first use, so that a read costs only the table's."""

    store: Store
    client: MakeClient
    clock: Clock
    new_id: NewId
    account: str
    region: str
    nudges_url: str
    """The queue that reconcile reads."""
    relay_function: str
    partition: str = "aws"
    update_service_role: str = ""
    """ARN of the role of the function that registers task definitions of services; empty: not looked at."""
    run_migration_role: str = ""
    notify_function: str = ""
    patient: MakeClient | None = None
    """Makes clients that wait long and never repeat a call; None: `client` does."""

    def verify(self, document: Platform) -> Findings:
        """Hold the document against ECS, ECR and its `ssm:` references."""
        from ferryman.clients.ssm import References
        from ferryman.steps import verify_secrets
        from ferryman.steps.verify import examine
        from ferryman.steps.verify_roles import Passing

        references = References(self.client("ssm"))
        problems, notes = verify_secrets.examine(document, references)
        found = examine(
            document,
            ecs=self.client("ecs"),
            ecr=self.client("ecr"),
            references=references,
            client=self.client,
            account=self.account,
            region=self.region,
            passing=Passing(self.update_service_role, self.run_migration_role),
        )
        return Findings(found.problems + problems, found.notes + notes, found.claims, found.live)

    def approvers(self, document: Platform, *, at_a_glance: bool = False) -> list[Problem]:
        """See `decisions.approver_checks`."""
        # Rare: few calls apply a document, and this reads Unicode's tables.
        from ferryman.decisions.approver_checks import Surroundings, has_roles, problems_of

        if at_a_glance:
            people = self.people(document.name) if has_roles(document) else People()
            return problems_of(document, Surroundings(self.partition, self.account, people))
        return problems_of(
            document,
            Surroundings(
                partition=self.partition,
                account=self.account,
                people=self.people(document.name),
                made_by_identity_center=self.made_by_identity_center,
                resolve=self._known,
            ),
        )

    def people(self, platform: str) -> People:
        """Read the access configuration from SSM."""
        from ferryman.clients import people
        from ferryman.clients.ssm import References

        return people.declared(References(self.client("ssm")), platform)

    def made_by_identity_center(self, role: str) -> bool:
        """Ask IAM."""
        from ferryman.clients.permission_sets import PermissionSets

        return PermissionSets(self.client, self.clock).made(role)

    def _known(self, value: str) -> str | None:
        try:
            return self.text(value)
        except ReferenceUnresolved:
            return None

    def claims(self, document: Platform) -> Claims:
        """Ask ECS, EventBridge and SSM what the document's names mean."""
        from ferryman.clients.ssm import References
        from ferryman.steps import ownership

        references = References(self.client("ssm"))
        return ownership.read(document, ecs=self.client("ecs"), references=references, client=self.client)

    def values(self, references: Iterable[str]) -> dict[str, str]:
        """Read each parameter."""
        from ferryman.clients.ssm import References, values_of

        return values_of(References(self.client("ssm")), references)

    def adopt(self, document: Platform) -> None:
        """See `releases.adoption`."""
        from ferryman.clients.ssm import References
        from ferryman.releases.adoption import adopt

        adopt(
            document,
            store=self.store,
            ecs=self.client("ecs"),
            ecr=self.client("ecr"),
            references=References(self.client("ssm")),
            client=self.client,
            clock=self.clock,
            new_id=self.new_id,
        )

    def observe(self, plan: Plan) -> dict[str, Counts]:
        """Read the PRIMARY deployment of each service that the plan changes."""
        from ferryman.clients import ecs

        names = [name for name, service in plan.services.items() if service.skip is None]
        with translated():
            found = ecs.services(self.client("ecs"), plan.cluster, names)
        counts = {}
        for name, service in found.items():
            primary = next((d for d in service.get("deployments", []) if d.get("status") == "PRIMARY"), None)
            if primary is not None:
                counts[name] = Counts(
                    ecs_deployment=primary["id"],
                    desired=primary.get("desiredCount", 0),
                    running=primary.get("runningCount", 0),
                    failed=primary.get("failedTasks", 0),
                )
        return counts

    def labels(self, document: Platform, component: str, digest: str) -> ImageLabels:
        """Read an image's configuration."""
        from ferryman.clients import image_labels

        repository = document.spec.components[component].repository
        return image_labels.of(self.client("ecr"), image_labels.download, repository, digest)

    def scans(self, document: Platform, environment: str, release: Release) -> tuple[ImageScan, ...]:
        """See `clients.image_scans`: of an index, only what the environment's tasks run is asked for."""
        from ferryman.clients.image_index import RunsOn
        from ferryman.clients.image_scans import of_release
        from ferryman.clients.ssm import References
        from ferryman.steps import plan_images

        def platforms(component: str) -> frozenset[RunsOn]:
            declared, references = document.environment(environment), References(self.client("ssm"))
            return plan_images.platforms(declared, component, self.client("ecs"), references, self.client)

        return of_release(document, release, self.client("ecr"), platforms=platforms)

    def task_definitions(self, document: Platform, environment: str) -> tuple[dict[str, Definitions], list[str]]:
        """Read the services and jobs of an environment and their bases."""
        from ferryman.clients import ecr, ecs
        from ferryman.clients.ssm import References
        from ferryman.steps import verify

        declared, at = document.environment(environment), f"spec.environments.{environment}"
        references = References(self.client("ssm"))
        seen = verify.survey(declared, ecs=self.client("ecs"), references=references, client=self.client, at=at)
        found, problems = {}, [f"{path}: {text}" for path, text in seen.unresolved]
        addresses: dict[str, str] = {}
        named = [name for service in declared.services for name in service.components]
        for component in dict.fromkeys([*named, *(job.component for job in declared.jobs)]):
            try:
                addresses[component] = ecr.address(self.client("ecr"), document.spec.components[component].repository)
            except NotFound as error:
                problems.append(str(error))
        for service in declared.services:
            live = seen.services.get(service.name)
            found[service.name] = Definitions(
                live=ecs.find_task_definition(self.client("ecs"), live["taskDefinition"]) if live else None,
                base=seen.bases.get(service.name),
                addresses=addresses,
            )
            if live is None:
                problems.append(f"there is no service {service.name}")
        for job in declared.jobs:
            seen_job = seen.jobs.get(job.name)
            found[step_keys.job(job.name)] = Definitions(
                live=seen_job.live if seen_job else None,
                base=seen_job.base if seen_job else None,
                addresses=addresses,
            )
            if seen_job is None or seen_job.live is None:
                problems.append(f"job {job.name}: its target could not be read, or runs no ECS task")
        return found, problems

    def text(self, value: str) -> str:
        """Read the parameter that a value refers to."""
        from ferryman.clients.ssm import References

        return References(self.client("ssm")).text(value)

    def probe(self, platform: str, *, send: bool) -> list[dict[str, object]]:
        """Ask notify, which alone has the secrets."""
        from ferryman.clients import channel_probe

        return channel_probe.ask((self.patient or self.client)("lambda"), self.notify_function, platform, send=send)

    def nudge(self, platform: str, environment: str) -> None:
        """Queue the environment for reconcile."""
        from ferryman.clients.nudge import Nudge

        Nudge(self.client("sqs"), self.nudges_url).environment(platform, environment)

    def wake(self, platform: str, environment: str, deployment: str) -> None:
        """Invoke relay_change, without waiting for it."""
        wake = {"platform": platform, "environment": environment, "deployment": deployment}
        with translated():
            self.client("lambda").invoke(
                FunctionName=self.relay_function, InvocationType="Event", Payload=json.dumps({"wake": wake}).encode()
            )
