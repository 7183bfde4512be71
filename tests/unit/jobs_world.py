"""A deployment with a schedule and a rule beside its services: what the tests of jobs start from."""

from typing import Any

from ferryman.records import JobPlace, PlannedJob, step_keys
from ferryman.store.table import Store
from unit.ecs_world import NEW, OLD, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.events import ecs_target

REPORT, UPLOAD = step_keys.job("report"), step_keys.job("upload")


class JobsWorld(World):
    """`api` in the first wave, `web` with the schedule `report` and the rule `upload` in the second."""

    def __init__(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        super().__init__(store, clock, new_id)
        self.before = {name: self.ecs.new_definition(name, OLD) for name in ("report", "upload")}
        self.events.new_schedule("nightly", self.before["report"], Description="at night", State="ENABLED")
        queue = {"Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:123456789012:copies"}
        self.events.new_rule(
            "uploads", queue, ecs_target(self.before["upload"], Id="task", RetryPolicy={"MaximumRetryAttempts": 2})
        )
        self.ecs.calls.clear()
        self.claim_with_jobs()

    def claim_with_jobs(self, deployment: str = "01K00000000000000000000JOB", **plan: Any) -> None:
        self.claim(deployment, waves=[["api"], ["web", REPORT, UPLOAD]], jobs=self.planned(), **plan)

    def planned(self) -> dict[str, PlannedJob]:
        places = {
            "report": JobPlace(kind="schedule", name="nightly", group="default"),
            "upload": JobPlace(kind="rule", name="uploads", group="default", target="task"),
        }
        targets = {
            "report": self.events.schedules["default", "nightly"]["Target"],
            "upload": self.events.rule_target("uploads", "task"),
        }
        return {
            step_keys.job(name): PlannedJob(
                name=name,
                place=place,
                arn=f"arn:aws:events:{name}",
                component="api",
                container="app",
                digest="sha256:new",
                image=NEW,
                base_task_definition=self.before[name],
                task_definition=self.before[name],
                target=kept(targets[name]),
            )
            for name, place in places.items()
        }

    def pass_first_wave(self) -> None:
        self.roll_out("api")

    def runs(self, name: str = "report") -> dict[str, Any]:
        """The task definition that a job runs now."""
        arn = (
            self.events.task_definition("nightly")
            if name == "report"
            else self.events.task_definition("uploads", "task")
        )
        return self.ecs.definitions[arn]


def kept(target: dict[str, Any]) -> str:
    from ferryman.clients.job_targets import JobTarget

    place = JobPlace(kind="rule", name="any", group="default")
    return JobTarget(place=place, arn="", rule_target=target).kept()  # type: ignore[arg-type]
