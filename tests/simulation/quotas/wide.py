"""A platform with many services, on AWS with quotas and latencies and without any other faults."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from simulation.aws.calls import READS
from simulation.aws.errors import refusal
from simulation.aws.machines import StateError
from simulation.choices import Choices
from simulation.documents import COMPONENTS, document
from simulation.quotas.buckets import BUCKET_OF, LAUNCH, QUOTAS, TRANSITION, Bucket, Quota
from simulation.quotas.contention import Contention
from simulation.quotas.latencies import COLD, WARM, Latencies
from simulation.sandboxes import Sandbox, timeouts
from simulation.scheduler import Future
from simulation.surroundings import Effect, Surroundings

ATTEMPTS = 3
"""How often the SDK makes a call (`runtime`)."""
CONCURRENCY = 1000
"""Lambda's concurrent executions of an account."""


class Wide(Surroundings):
    """One history without people and faults: only quotas refuse something."""

    def __init__(
        self,
        waves: Sequence[int],
        *,
        environments: int = 1,
        seed: str = "1",
        concurrency: int = CONCURRENCY,
        others_leave: Mapping[str, Quota] = QUOTAS,
    ) -> None:
        """`waves`: how many services each wave has, in every environment. `concurrency`: of Lambda.

        `others_leave`: what others in the account leave of some quotas.
        """
        self.waves, self.environments, self.concurrency = waves, environments, concurrency
        self.latencies = Latencies(seed)
        self.running, self.most_running, self.cold_starts = 0, 0, 0
        self.throttled: Counter[str] = Counter()
        """Quota → how many calls it refused, each attempt of the SDK counted."""
        self.invocations: Counter[str] = Counter()
        """Function → how often it ran."""
        self.attempts: Counter[str] = Counter()
        """Function → how often a state of a machine called it."""
        self.longest: dict[str, float] = {}
        """Function → the longest of its runs, as a share of its time-out."""
        self.errors: Counter[tuple[str, str]] = Counter()
        """(function, error) → how many steps ended with it."""
        super().__init__(Choices(seed), "push")
        self.choices.faults = 0.0
        clock = self._seconds
        self.buckets = {name: Bucket(quota, clock) for name, quota in {**QUOTAS, **others_leave}.items()}
        self.contention = Contention(self.table, clock)
        self.lambdas.kept_warm = concurrency
        self.machines.counted = self._transition
        self.machines.jitter = self.latencies.jitter
        self.ecs.trouble = self._launch

    def _seconds(self) -> float:
        return self.scheduler.seconds

    # ── what is there before the operator ──

    def _build(self) -> None:
        self.document = _document(self.waves, self.environments)
        for component in COMPONENTS:
            self.registry.push(f"scr-{component}", "old0000", f"{component} old")
        digest = next(iter(self.registry.images["scr-api"]))
        for environment in self.document["spec"]["environments"].values():
            for item in (item for wave in environment["waves"] for item in wave["services"]):
                self.ecs.define(item["baseTaskDefinition"], "registry.example/scr-api:base")
                image = f"registry.example/scr-api@{digest}"
                self.ecs.create_service(environment["cluster"], item["name"], item["name"], image)

    # ── what quotas refuse ──

    def call(self, sandbox: Sandbox, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Make a call of an AWS client: each attempt takes its time and needs a token."""
        if operation == "transact_write_items":
            request = {**request, "ClientRequestToken": self.new_id()}
        self.called[sandbox.function, f"{service}.{operation}"] += 1
        for attempt in range(ATTEMPTS):
            if attempt:
                sandbox.pause(self.latencies.backoff(attempt - 1))
            if self._passes(operation):
                return self._performed(sandbox, service, operation, request)
            sandbox.pause(self.latencies.draw(service))
        name = "".join(part.title() for part in operation.split("_"))
        raise refusal(name, "ThrottlingException", "Rate exceeded")

    def _passes(self, operation: str) -> bool:
        quota = BUCKET_OF.get(operation)
        if quota is None or self.buckets[quota].take():
            return True
        self.throttled[quota] += 1
        return False

    def _performed(self, sandbox: Sandbox, service: str, operation: str, request: dict[str, Any]) -> Any:
        seconds = self.latencies.draw(f"{service}.{operation}")
        if service != "dynamodb" or operation in READS:
            sandbox.pause(seconds)
            if operation not in READS:
                self.watch(Effect(sandbox, service, operation, request))
            return self._operation(service, operation)(request)
        with self.contention.writing(operation, request) as refused:
            sandbox.pause(seconds)
            if refused is not None:
                raise refused
            return self._operation(service, operation)(request)

    def _launch(self, name: str) -> str:
        """Let a service start its next task only within the quota of launches; ECS tries again by itself."""
        first = self.ecs.services[name]["deployments"][0]
        if first["runningCount"] >= first["desiredCount"] or self.buckets[LAUNCH].take():
            return ""
        self.throttled[LAUNCH] += 1
        return "hangs"

    def _transition(self) -> None:
        while not self.buckets[TRANSITION].take():
            self.throttled[TRANSITION] += 1
            self.scheduler.sleep(0.01)

    # ── invocations ──

    def skew(self, function: str) -> float:
        """Return that all clocks are right."""
        return 0.0

    def _run(self, function: str, payload: Any) -> Future:
        """Run a function as soon as there is room for it; events wait in Lambda's own queue."""

        def work() -> Any:
            while self.running >= self.concurrency:
                self.throttled["Lambda concurrency"] += 1
                self.scheduler.sleep(1.0)
            return self._invoke(function, payload)

        return self.scheduler.spawn(work)

    def _step(self, function: str, payload: Any) -> Future:
        """Invoke a function for a state machine, which hears at once that there is no room."""
        self.attempts[function] += 1
        if self.running >= self.concurrency:
            self.throttled["Lambda concurrency"] += 1
            full = Future()
            full.set(error=StateError("Lambda.TooManyRequestsException", "Rate exceeded"))
            return full
        answered = super()._step(function, payload)

        def ended() -> None:
            if isinstance(answered.error, StateError):
                self.errors[function, answered.error.error] += 1

        answered.when_done(ended)
        return answered

    def _invoke(self, function: str, payload: Any) -> Any:
        warm = self.lambdas.is_warm(function)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.invocations[function] += 1
        self.cold_starts += not warm
        began = self.scheduler.seconds
        try:
            self.scheduler.sleep(self.latencies.draw(WARM if warm else COLD))
            future = super()._run(function, payload)
            self.scheduler.wait(future)
            return future.result()
        finally:
            self.running -= 1
            share = (self.scheduler.seconds - began) / timeouts()[function]
            self.longest[function] = max(share, self.longest.get(function, 0.0))


def _document(waves: Sequence[int], environments: int) -> dict[str, Any]:
    found = document("push")
    (like,) = found["spec"]["environments"].values()
    found["spec"]["environments"] = {
        f"staging-{number}": _environment(like, f"staging-{number}", waves) for number in range(environments)
    }
    return found


def _environment(like: dict[str, Any], name: str, waves: Sequence[int]) -> dict[str, Any]:
    service, check = like["waves"][0]["services"][0], like["smokeTests"][0]
    names = [[f"scr-{number}-{at}-{name}" for at in range(size)] for number, size in enumerate(waves)]
    return {
        **like,
        "cluster": f"scr-{name}",
        "movingTags": [f"{name}-latest"],
        "smokeTests": [{**check, "url": f"https://{names[0][0]}.example"}],
        "waves": [
            {
                "name": f"wave-{number}",
                "services": [{**service, "name": one, "baseTaskDefinition": f"{one}-base"} for one in wave],
            }
            for number, wave in enumerate(names)
        ],
    }
