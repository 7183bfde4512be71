"""The whole product on this machine: emulator, infrastructure, the operator's real stack, and the event relay.

Used by the demo, the flow tests, the benchmark and `ferryman local up`; each starts one, pushes images, and asks the
operator's own API what became of them.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from ferryman_local.emulator import Emulator
from ferryman_local.engines.engine import DOCKER, PROCESS, EngineName
from ferryman_local.images import oci
from ferryman_local.images.builders import Builder, ProcessBuilder, Wanted
from ferryman_local.provisioning import infrastructure, operator_parameters, people
from ferryman_local.provisioning.backing import Backing, ProcessBacking
from ferryman_local.provisioning.infrastructure import Infrastructure, InfrastructureError
from ferryman_local.provisioning.operator_stack import build_operator, deploy_operator, takes
from ferryman_local.provisioning.people import LocalPerson
from ferryman_local.proxy import FaultProxy
from ferryman_local.relay import Relay
from ferryman_local.standins import GitHub, Slack

Report = Callable[[str], None]

CHECKOUT = Path(__file__).parents[2]
SWEEP_RATE = "rate(1 minute)"
"""The shortest interval of a schedule, so that nobody waits five minutes if an event is lost."""
PLATFORM_FILE = CHECKOUT / "examples" / "scr-platform" / "platform.yaml"


class LocalAws:
    """One local AWS with Ferryman. `start()` returns when it accepts a push."""

    def __init__(
        self,
        home: Path,
        *,
        platform_file: Path = PLATFORM_FILE,
        platforms: Iterable[Mapping[str, Any]] | None = None,
        github: bool = False,
        wait_scale: float = 1.0,
        token_timeout_scale: float = 1.0,
        proxied: bool = False,
        port: int | None = None,
        parameters: Mapping[str, str] | None = None,
        report: Report = lambda _line: None,
        engine: EngineName = PROCESS,
        operator: Path = CHECKOUT,
    ) -> None:
        self.home = home
        self.operator = operator
        self.source, self.examples = platform_file, platform_file.parent
        # They listen at once: documents name their addresses.
        self.github, self.slack = GitHub(), Slack()
        home.mkdir(parents=True, exist_ok=True)
        self.platform_file = self._with_github(platform_file) if github else platform_file
        self.document: dict[str, Any] = yaml.safe_load(self.platform_file.read_text())
        self._platforms = list(platforms) if platforms is not None else [self.document]
        self._proxied = proxied
        self.parameters = dict(parameters or {})
        """Parameters of the operator's stack; a change takes effect with `upgrade`."""
        self._report = report
        self.emulator = Emulator(
            home / "state",
            port=port,
            wait_scale=wait_scale,
            token_timeout_scale=token_timeout_scale,
            log=home / "emulator.log",
            engine=engine,
        )
        self.builder, self._backing = self._tools()
        self.outputs: dict[str, str] = {}
        self._admin: LocalPerson | None = None
        self.people: dict[str, LocalPerson] = {}
        """Role → a user who has it on every environment, and no other permission than to call the API."""
        self.infrastructure: dict[str, Infrastructure] = {}
        self.proxy: FaultProxy | None = None
        self.relay: Relay | None = None

    def _tools(self) -> tuple[Builder, Backing]:
        """The image builder and the backing services of the engine."""
        if self.emulator.engine != DOCKER:
            return ProcessBuilder(self.emulator.port, self.examples), ProcessBacking(self.emulator.state_dir)
        from ferryman_local.images.docker_builder import DockerBuilder
        from ferryman_local.provisioning.docker_backing import DockerBacking

        builder = DockerBuilder(self.emulator.port, self.examples, self._report)
        clusters = [spec["cluster"] for one in self._platforms for spec in one["spec"]["environments"].values()]
        return builder, DockerBacking(self.emulator, clusters, builder.image)

    def start(self, *, create_infrastructure: bool = True) -> Self:
        """Start everything. The operator is built while the emulator starts and the infrastructure is created."""
        self.builder.prepare()
        failed: list[BaseException] = []
        cancelled = threading.Event()

        def build() -> None:
            try:
                build_operator(self.operator, report=self._report, cancelled=cancelled)
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
                failed.append(error)

        self.github.start()
        self.slack.start()
        building = threading.Thread(target=build, name="sam-build")
        building.start()
        try:
            self.emulator.start()
            self._report(f"emulator is ready on {self.emulator.endpoint}")
            operator_parameters.write(self.emulator, self._platforms)
            self._admin = people.person(self.emulator.session(), people.ADMIN, "*")
            self._backing.start()
            if create_infrastructure:
                for document in self._platforms:
                    self.create_infrastructure(document)
            building.join()
        except BaseException:  # Ctrl-C too: `sam` must not go on alone
            cancelled.set()
            raise
        finally:
            building.join()
        if failed:
            raise failed[0]
        self._deploy()
        if self._proxied:
            self.proxy = FaultProxy(self.emulator.port).start()
            self._control("PUT", "lambda-endpoint", {"url": self.proxy.endpoint})
        self.relay = Relay(self.emulator.session(), endpoint=self.emulator.endpoint, region=self.emulator.region)
        self.relay.start()
        return self

    def _deploy(self) -> None:
        ours = {
            "AdminArns": self.admin.arn,
            "AllowedSlackHosts": self.slack.url,
            "AllowedGitHubHosts": self.github.url,
        }
        # A released version that is upgraded may not have all of them.
        known = {name: value for name, value in ours.items() if takes(self.operator, name)}
        parameters = {"SweepRate": SWEEP_RATE, **known, **self.parameters}
        self.outputs = deploy_operator(self.emulator, self.operator, parameters, report=self._report)
        if not self.people and (policy := self.outputs.get("CallerPolicyArn")):
            session = self.emulator.session()
            self.people = {role: people.person(session, f"local-{role}", policy=policy) for role in people.ROLES}

    @property
    def admin(self) -> LocalPerson:
        """The user that people and tests act as: the operator's admin."""
        assert self._admin is not None, "the local AWS is not started"
        return self._admin

    def upgrade(self, operator: Path = CHECKOUT) -> None:
        """Deploy another version of the operator over the running one, as `sam deploy` of a newer checkout does."""
        self.operator = operator
        self._deploy()

    def stop(self) -> None:
        """Stop everything that was started; safe to call twice."""
        if self.relay is not None:
            self.relay.stop()
            self.relay = None
        if self.proxy is not None:
            self.proxy.stop()
            self.proxy = None
        self.github.stop()
        self.slack.stop()
        self.emulator.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ── what people and CI do ──

    def create_infrastructure(self, document: Mapping[str, Any]) -> Infrastructure:
        """Create repositories, cluster, services and load balancer for a platform document."""
        created = infrastructure.create(
            self.emulator, document, self.examples, secrets=self.secrets(),
            builder=self.builder, backing=self._backing, report=self._report,
        )  # fmt: skip
        self.infrastructure[document["metadata"]["name"]] = created
        return created

    def push(
        self,
        version: str,
        components: Iterable[str] = ("api", "ai-gateway", "web"),
        *,
        fault: str | None = None,
        document: Mapping[str, Any] | None = None,
        tag: str | None = None,
        index: bool = False,
    ) -> dict[str, str]:
        """Build and push the images of a version, in the order given; return component → digest.

        `fault` names one of the example's `faults/faults.yaml`: the component it belongs to is built broken.
        """
        images_of = self._wanted(version, components, fault, document)
        return {one.component: self.builder.push(one, tag or version, index=index) for one in images_of}

    def build(
        self,
        version: str,
        components: Iterable[str] = ("api", "ai-gateway", "web"),
        *,
        fault: str | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        """Build the images of a version in parallel, so that a later `push` only has to push."""
        wanted = self._wanted(version, components, fault, document)
        with ThreadPoolExecutor(max_workers=max(len(wanted), 1)) as pool:
            try:
                list(pool.map(self.builder.build, wanted))
            except (KeyboardInterrupt, SystemExit):  # the pool would wait for them
                self.builder.cancel()
                raise

    def _wanted(
        self, version: str, components: Iterable[str], fault: str | None, document: Mapping[str, Any] | None
    ) -> list[Wanted]:
        known = (document or self.document)["spec"]["components"]
        broken = self.faults()[fault] if fault else None
        found = []
        for component in components:
            mine = broken if broken and broken["component"] == component else {}
            overlay = self.examples / "faults" / mine["overlay"] if mine.get("overlay") else None
            env = tuple((name, str(value)) for name, value in (mine.get("env") or {}).items())
            found.append(Wanted(component, self.app(component), known[component]["repository"], version, overlay, env))
        return found

    def tag(self, version: str, name: str, document: Mapping[str, Any] | None = None) -> None:
        """Give all images of a version a second name (`v1.0.0`), as CI does on a git tag: nothing is built."""
        for component in (document or self.document)["spec"]["components"].values():
            oci.tag(self.emulator.port, component["repository"], version, name)

    def _with_github(self, platform_file: Path) -> Path:
        """A copy of the document in which `github` is not commented out and refers to the stand-in."""
        text, found = re.subn(
            r"^  # github:\n((?:  #   .*\n)+)",
            lambda block: "  github:\n" + re.sub(r"(?m)^  #   ", "    ", block[1]) + f"    apiUrl: {self.github.url}\n",
            platform_file.read_text(),
            flags=re.MULTILINE,
        )
        if not found:
            raise InfrastructureError(f"{platform_file} has no commented-out `github:` that could be used")
        copy = self.home / platform_file.name
        copy.write_text(text)
        return copy

    def secrets(self) -> dict[str, str]:
        """Values for Secrets Manager, by the last part of the secret's name; documents define the rest of the name."""
        return {
            "github-token": self.github.token,
            "slack-webhook": self.slack.webhook,
            "slack-bot-token": self.slack.bot_token,
            "slack-signing-secret": self.slack.signing_secret,
        }

    def faults(self) -> dict[str, dict[str, Any]]:
        """The example's broken releases, by name."""
        return dict(yaml.safe_load((self.examples / "faults" / "faults.yaml").read_text())["faults"])

    def app(self, component: str) -> Path:
        """Folder of a component's source."""
        for kind in ("apps", "services"):
            if (self.examples / kind / component).is_dir():
                return self.examples / kind / component
        raise InfrastructureError(f"the example platform has no component {component!r}")

    def cli_env(self) -> dict[str, str]:
        """Environment in which the `ferryman` command talks to this operator."""
        return {
            **self.emulator.env(),
            **self.admin.env,
            "FERRYMAN_API_URL": self.outputs["ApiUrl"],
            "FERRYMAN_API_FUNCTION": self.outputs["ApiFunctionArn"],
            "FERRYMAN_API_CONNECT": f"http://127.0.0.1:{self.emulator.port}",
        }

    # ── what tests steer ──

    def lambda_fault(self, function: str, **settings: Any) -> None:
        """Make the next invocations of a function (logical id) fail; see `ferryman_local.patches.control`."""
        self._control("POST", "lambda-faults", {"function": f"ferryman-{function}-*", **settings})

    def clear_lambda_faults(self) -> None:
        """Remove the remaining faults."""
        self._control("DELETE", "lambda-faults")

    def limit_concurrency(self, limit: int) -> None:
        """Set the account's limit of concurrent Lambdas."""
        self._control("PUT", "concurrency-limit", {"limit": limit})

    def counters(self) -> dict[str, Any]:
        """Lambda invocations and state transitions so far."""
        return dict(self._control("GET", "counters"))

    def invocations(self) -> list[dict[str, Any]]:
        """The last invocations of Lambdas, oldest first; see `ferryman_local.patches.control`."""
        return list(self._control("GET", "invocations"))

    def permissions(self) -> list[dict[str, Any]]:
        """What roles have asked for since `forget_permissions`; see `ferryman_local.patches.control`."""
        return list(self._control("GET", "permissions"))

    def forget_permissions(self) -> None:
        """Begin anew."""
        self._control("DELETE", "permissions")

    def _control(self, method: str, what: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.emulator.endpoint}/_ferryman/{what}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()


def wait_until[T](look: Callable[[], T | None], seconds: float, what: str, every: float = 0.1) -> T:
    """Call `look` until it returns something; raise TimeoutError that names `what`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out after {seconds:.0f} s waiting for {what}")
        time.sleep(every)
