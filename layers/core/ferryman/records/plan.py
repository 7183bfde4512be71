"""The frozen plan of a deployment: ids, digests and resolved addresses only. Pure."""

from typing import Any, Literal

from ferryman.records.base import Record


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
    """`registry/repository@digest`, as written into the task definition."""
    base_task_definition: str
    rollback_task_definition: str | None
    timeout_seconds: int
    fail_fast: int
    platform_digests: list[str] = []
    """Every image of the index that may run, where nobody can tell which; empty where `platform_digest` is the one."""
    skip: Literal["ScaledToZero", "NotInRelease"] | None = None


class PlannedMigration(Record):
    """The migration of a frozen plan."""

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
    services: dict[str, PlannedService]
    migration: PlannedMigration | None = None
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
