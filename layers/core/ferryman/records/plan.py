"""The frozen plan of a deployment: ids, digests and resolved addresses only. Pure."""

from typing import Any, Literal

from ferryman.records.base import Record


class PlannedImage(Record):
    """The image of an additional component in a service's task definition."""

    component: str
    containers: list[str]
    image: str
    """As written into the task definition."""
    digest: str = ""
    """Empty: the release has no image of the component, and `image` is what already runs."""
    platform_digest: str = ""
    platform_digests: list[str] = []
    """See `PlannedService`."""

    @property
    def accepted(self) -> frozenset[str]:
        """Image digests that prove that a container runs it; empty: nothing is checked."""
        return _accepted(self.digest, self.platform_digest, self.platform_digests)


class PlannedService(Record):
    """One service of a frozen plan."""

    name: str
    arn: str
    """ARN of the ECS service: what ECS events are correlated by."""
    component: str
    container: str
    digest: str
    platform_digest: str
    """The child that the service's platform pulls; equals `digest` for a single image."""
    image: str
    """`registry/repository@digest`, as written into the task definition; empty if the release has no such image."""
    base_task_definition: str
    rollback_task_definition: str | None
    timeout_seconds: int
    fail_fast: int
    platform_digests: list[str] = []
    """Every image of the index that may run, where nobody can tell which; empty where `platform_digest` is the one."""
    skip: Literal["ScaledToZero", "NotInRelease"] | None = None
    proceed_when: Literal["completed", "healthy"] = "completed"
    """When the next wave begins: after this rollout, or once its tasks are healthy, while old ones still drain."""
    rollback_digests: dict[str, str] = {}
    """Container → digest that a way back goes to, where `rollback_task_definition` names tags."""
    rollback_children: list[str] = []
    """Of these digests that are indexes, what a task may pull: ECS tells the one or the other."""
    containers: list[str] = []
    """Every container that gets `image`. Empty in plans of 0.1.0, which changed `container` alone."""
    stray: bool = False
    """An earlier deployment may have left it on something else than the last good release."""
    additional: list[PlannedImage] = []
    """The images of the additional components, and what the service's own component keeps running."""

    @property
    def images(self) -> dict[str, str]:
        """Container → the image that it gets."""
        own = dict.fromkeys(self.containers or [self.container], self.image) if self.image else {}
        return own | {name: item.image for item in self.additional for name in item.containers}

    @property
    def accepted(self) -> dict[str, frozenset[str]]:
        """Container → image digests that prove that it runs the release."""
        own = _accepted(self.digest, self.platform_digest, self.platform_digests)
        found = dict.fromkeys(self.containers or [self.container], own) if own else {}
        return found | {name: item.accepted for item in self.additional if item.digest for name in item.containers}

    @property
    def planned_digests(self) -> list[tuple[str, str, list[str]]]:
        """Each component with its digest and the images of it that may run."""
        found: list[PlannedService | PlannedImage] = [self, *self.additional]
        return [
            (item.component, item.digest, item.platform_digests or list(filter(None, [item.platform_digest])))
            for item in found
        ]

    @property
    def unsure(self) -> bool:
        """Whether nobody could tell which image of an index runs."""
        return bool(self.platform_digests) or any(item.platform_digests for item in self.additional)


def _accepted(digest: str, platform_digest: str, platform_digests: list[str]) -> frozenset[str]:
    return frozenset({digest, platform_digest, *platform_digests} - {""})


class JobPlace(Record):
    """Where the ECS target of a job is: the target of a schedule, or one target of a rule."""

    kind: Literal["schedule", "rule"]
    name: str
    """Of the schedule or rule."""
    group: str
    """Schedule group, or event bus."""
    target: str = ""
    """Id of a rule's target; empty: its only ECS target."""


class PlannedJob(Record):
    """One scheduled task of a frozen plan."""

    name: str
    """As in the document; steps and waves call it `job/<name>`."""
    place: JobPlace
    arn: str
    """ARN of the schedule or rule."""
    component: str
    container: str
    digest: str
    image: str
    """`registry/repository@digest`, as written into the task definition."""
    base_task_definition: str
    task_definition: str
    """The task definition that the target named before, in its own words: where a rollback goes."""
    target: str = ""
    """The target as read before: JSON of at most 1,024 bytes with a digest for its input; longer JSON's digest."""
    stray: bool = False
    """See `PlannedService.stray`."""
    rollback_task_definition: str = ""
    """Where a rollback of a stray goes; empty: to `task_definition`."""
    skip: Literal["NotInRelease"] | None = None
    rollback_digests: dict[str, str] = {}
    """Container → digest that a way back goes to, where `goes_back_to` names tags."""
    containers: list[str] = []
    """Every container that gets `image`; empty: `container` alone."""

    @property
    def images(self) -> dict[str, str]:
        """Container → the image that it gets."""
        return dict.fromkeys(self.containers or [self.container], self.image)

    @property
    def goes_back_to(self) -> str:
        """The task definition that a rollback sets."""
        return self.rollback_task_definition or self.task_definition


class PlannedMigration(Record):
    """A migration of a frozen plan."""

    component: str
    container: str
    digest: str
    image: str
    base_task_definition: str
    command: list[str]
    timeout_seconds: int
    subnets: list[str]
    security_groups: list[str]
    assign_public_ip: bool = False
    launch_type: Literal["FARGATE", "EC2"] = "FARGATE"
    containers: list[str] = []
    """Every container that gets `image`. Empty in plans of 0.1.0, which changed `container` alone."""
    name: str = ""
    """Of a named migration; "" of the one that an environment's `migration` describes."""
    migrations: list[str] | None = None
    """Of a named one: what `Plan.migrations` is for the other."""
    unsafe_migrations: list[str] = []
    """Of a named one: what `Plan.unsafe_migrations` is for the other."""

    @property
    def images(self) -> dict[str, str]:
        """Container → the image that it gets."""
        return dict.fromkeys(self.containers or [self.container], self.image)


class PlannedTag(Record):
    """A moving tag that promote_images points at a digest before anything is deployed."""

    component: str
    repository: str
    digest: str
    tag: str


class PlannedCheck(Record):
    """One smoke test of a frozen plan: addresses resolved, `{release}` filled in."""

    name: str
    url: str
    headers: dict[str, str] = {}
    allow_http: bool = False
    status: list[int]
    expect_headers: dict[str, str] = {}
    expect_json: dict[str, Any] = {}
    expect_body: str | None = None
    attempts: int
    delay_seconds: int
    timeout_seconds: int


class Plan(Record):
    """What a deployment will do, frozen by begin_deployment from document, release and ECS."""

    generation: int
    cluster: str
    """ARN of the cluster."""
    waves: list[list[str]]
    """Names of services, and `job/<name>` for jobs."""
    services: dict[str, PlannedService]
    jobs: dict[str, PlannedJob] = {}
    """`job/<name>` → the job."""
    migration: PlannedMigration | None = None
    """The one without a name; an environment has either this one or named ones."""
    named_migrations: list[PlannedMigration] = []
    """Those with names, in the order in which they run."""
    checks: list[PlannedCheck] = []
    approval: bool = False
    """Whether people have to say yes first."""
    promotions: list[PlannedTag] = []
    semver: str | None = None
    """The semver tag that has to name these very digests."""
    repositories: dict[str, str] = {}
    """Component → ECR repository."""
    migrations: list[str] | None = None
    """Ids of all migrations in the image that migrates, oldest first; None when the image does not tell."""
    unsafe_migrations: list[str] = []
    """Those after which an older release can't run."""
    on_failure: Literal["rollback", "hold"] = "rollback"
    changes: dict[str, list[str]] = {}
    """For people who approve, as it was when the plan was made: service, `job/<name>` or another part of the plan →
    sentences about what changes there against what runs. Empty where nobody is asked, and in plans of earlier versions.
    """
    not_frozen: list[str] = []
    """For people who approve: what no plan can freeze."""
    since_approved: list[str] = []
    """Of a request that takes the place of a voided approval: what differs from what was approved then."""
    deregistered: list[str] = []
    """ARNs of the frozen revisions that were deregistered already when the plan was made, which then is no obstacle."""

    @property
    def members(self) -> dict[str, PlannedService | PlannedJob]:
        """Everything that the waves bring to the release, by its name there: services and jobs."""
        return {**self.services, **self.jobs}

    @property
    def every_migration(self) -> list[PlannedMigration]:
        """The migrations that run, in their order, whether they have names or not."""
        return [self.migration] if self.migration is not None else self.named_migrations

    @property
    def revisions(self) -> list[str]:
        """ARNs of the frozen base revisions from which this deployment makes what runs, each once, in their order.

        What is left alone is made from none.
        """
        members = [item for item in self.members.values() if item.skip != "NotInRelease"]
        return list(dict.fromkeys(item.base_task_definition for item in [*members, *self.every_migration]))
