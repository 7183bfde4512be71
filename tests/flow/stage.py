"""The local AWS that all flow tests of one worker share, and what they steer in it."""

import contextlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml
from boto3.dynamodb.types import TypeDeserializer

from ferryman.records import OutboxMessage
from ferryman.store import keys
from ferryman.store.table import Store
from ferryman_cli.transport import Api
from ferryman_local.local_aws import CHECKOUT, LocalAws, wait_until
from ferryman_local.provisioning import operator_parameters, people
from ferryman_local.provisioning.people import LocalPerson
from ferryman_local.proxy import FaultProxy
from ferryman_local.relay import Relay
from ferryman_local.standins.people import Inbox
from flow.documents import COMPONENTS, everything, everything_promoting
from flow.logbook import LogBook

_people = itertools.count(1)

APP = Path(__file__).parent / "app"
PLACES = 90
"""How many platforms the operator of one worker may touch."""
PROMOTING = 60
"""How many of them, besides, that have a production."""
TOKEN_SCALE = 0.05
"""A waiting step's 60 seconds are 3 here."""
WAIT_SCALE = 0.01
"""Pauses of the state machine (retries, smoke tests) take a hundredth."""
MUTATION_TIMEOUT_SECONDS = 2
"""How long a claim outlives an execution that died; 35 s on AWS, where a Lambda may still be at work."""


_LOOK = "look"
_VISIBLE = ("", "NotVisible")


def _is_look(event: dict[str, Any]) -> bool:
    return any("queuedAt" in record.get("body", "") for record in event.get("Records", []))


class Stage(LogBook):
    """Emulator, operator, relay and proxy."""

    def __init__(
        self,
        home: Path,
        *,
        sweep_rate: str = "rate(1 day)",
        operator: Path = CHECKOUT,
        places: int = PLACES,
        promoting: int = PROMOTING,
    ) -> None:
        """By default no schedule fires while tests run: they sweep when they want to."""
        self.home = home
        self.gates = home / "gates"
        self.gates.mkdir(parents=True)
        names = [f"p{number:03d}" for number in range(1, places + 1)]
        promote = [f"r{number:03d}" for number in range(1, promoting + 1)]
        documents = [*map(everything, names), *map(everything_promoting, promote)]
        for component in COMPONENTS:
            shutil.copytree(APP, home / "example" / "apps" / component)
        file = home / "example" / "platform.yaml"
        file.write_text(yaml.safe_dump(documents[0]))
        self.names: Iterator[str] = iter(names)
        self.promoting_names: Iterator[str] = iter(promote)
        self.aws = LocalAws(
            home / "aws",
            platform_file=file,
            platforms=documents,
            wait_scale=WAIT_SCALE,
            token_timeout_scale=TOKEN_SCALE,
            proxied=True,
            parameters={"SweepRate": sweep_rate},
            operator=operator,
        )
        self._clients: dict[str, Any] = {}
        self.denied: set[str] = set()
        """Actions that AWS did not allow the operator's Lambdas, with the beginning of what they asked for."""
        self.task_tokens: set[str] = set()
        """Tokens of steps that waited, as the Lambdas sent them to Step Functions."""
        self._closed: set[Path] = set()
        self.expected_denials: set[str] = set()
        """Actions that a test had AWS deny on purpose."""
        self.expected_dead_letters: set[str] = set()
        """Texts of dead letters that a test caused on purpose."""
        self.gone: set[str] = set()
        """Clusters that tests took away, maybe before the operator had heard of all their tasks' ends."""

    def start(self) -> "Stage":
        """Bring it up."""
        self.aws.start(create_infrastructure=False)
        self.store = Store(self.client("dynamodb"), self.aws.outputs["TableName"])
        self._quicken()
        return self

    def _quicken(self) -> None:
        """A claim of an execution that died is released sooner than on AWS."""
        functions = self.client("lambda")
        name = self.function("Reconcile")
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        self.mutation_timeout = MUTATION_TIMEOUT_SECONDS
        variables["MUTATION_TIMEOUT_SECONDS"] = str(MUTATION_TIMEOUT_SECONDS)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def upgrade(self) -> None:
        """Deploy the work tree's operator over the one that runs."""
        self.aws.upgrade()
        self._quicken()

    def stop(self) -> None:
        """End everything."""
        self.aws.stop()

    # ── AWS ──

    def client(self, service: str) -> Any:
        """A client as the account's root, past the proxy."""
        if service not in self._clients:
            self._clients[service] = self.aws.emulator.session().client(service)
        return self._clients[service]

    @property
    def proxy(self) -> FaultProxy:
        """Stands between the Lambdas and AWS."""
        assert self.aws.proxy is not None
        return self.aws.proxy

    @property
    def relay(self) -> Relay:
        """Sends the events of ECR and ECS."""
        assert self.aws.relay is not None
        return self.aws.relay

    @property
    def api(self) -> Api:
        """The operator's API, as its admin."""
        return self.api_of(self.aws.admin)

    def api_of(self, person: LocalPerson) -> Api:
        """The operator's API, as somebody."""
        return Api(
            self.aws.outputs["ApiUrl"],
            credentials=person.credentials,
            region=self.aws.emulator.region,
            function=self.aws.outputs.get("ApiFunctionArn"),
            connect=f"http://127.0.0.1:{self.aws.emulator.port}",
        )

    def person(self, name: str) -> LocalPerson:
        """A new user who may call the API and nothing else, and has no role."""
        policy = self.aws.outputs["CallerPolicyArn"]
        return people.person(self.aws.emulator.session(), f"{name}-{next(_people)}", policy=policy)

    def grant(self, platform: str, *grants: tuple[str, str, LocalPerson | str]) -> None:
        """Write the roles of a platform: role, environment, and who has it. Lambdas read them once a minute."""
        made = [
            {"role": role, "environments": [env], "principals": [getattr(who, "arn", who)]} for role, env, who in grants
        ]
        operator_parameters.write_access(self.aws.emulator.session(), platform, made)

    def function(self, logical: str) -> str:
        """The real name of a function of the template."""
        return self.physical(logical)

    def physical(self, logical: str) -> str:
        """The real name of a resource of the operator's stack."""
        found = self.client("cloudformation").describe_stack_resource(StackName="ferryman", LogicalResourceId=logical)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def invoke(self, logical: str, event: Any) -> Any:
        """Call a function and return its answer; an error of it fails the test."""
        answer = self.client("lambda").invoke(FunctionName=self.function(logical), Payload=json.dumps(event))
        result = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, f"{logical}: {result}"
        return result

    def sweep(self) -> None:
        """What the schedule does every five minutes, and every look that it queues, as far as they end in time."""
        # A look that failed in an earlier test is due again: on AWS its message would have come again by now.
        for item in self._looks():
            self.table("delete_item", Key={name: item[name] for name in ("pk", "sk")})
        self.invoke("Reconcile", {"sweep": True})
        # One that fails comes again later; whoever waits for what it brings sees that.
        with contextlib.suppress(TimeoutError):
            self.until(lambda: all(it["queuedAt"] == {"NULL": True} for it in self._looks()), "every look to end", 30)

    def _looks(self) -> list[dict[str, Any]]:
        of_looks = {":looks": {"S": keys.LOOKS}}
        found = self.table("query", KeyConditionExpression="pk = :looks", ExpressionAttributeValues=of_looks)
        return list(found["Items"])

    def waiting(self, queue: str, kinds: Sequence[str]) -> int:
        """How many messages of a queue (an output of the stack) are of these kinds: visible, not visible, delayed."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        told = self.client("sqs").get_queue_attributes(QueueUrl=self.aws.outputs[queue], AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)

    def nudge(self, platform: str, environment: str) -> None:
        """Have reconcile look at one environment, through its queue."""
        body = json.dumps({"platform": platform, "environment": environment})
        self.client("sqs").send_message(QueueUrl=self.aws.outputs["NudgesUrl"], MessageBody=body)

    def expects(self, dead_letter: str) -> bool:
        """Whether a test meant this message to end in the dead-letter queue, or took away the cluster it is about."""
        gone = any(f":cluster/{name}" in dead_letter for name in self.gone)
        return (gone and "ClusterNotFoundException" in dead_letter) or any(
            text in dead_letter for text in self.expected_dead_letters
        )

    def time_out(self, execution_arn: str) -> None:
        """Let the machine-level time-out of an execution strike now."""
        url = f"{self.aws.emulator.endpoint}/_ferryman/executions/time-out"
        httpx.post(url, json={"executionArn": execution_arn}, trust_env=False, timeout=10).raise_for_status()

    def invocations(self, logical: str) -> int:
        """How many invocations of a function have begun so far."""
        return sum(row["invocations"] for name, row in self.aws.counters()["lambda"].items() if f"-{logical}-" in name)

    def wakings(self) -> list[dict[str, Any]]:
        """The last invocations of reconcile, oldest first; see `ferryman_local.patches.control`."""
        name = self.function("Reconcile")
        return [it for it in self.aws.invocations() if it["function"] == name]

    def woken(self, platform: str, since: int) -> list[str | None]:
        """What has woken reconcile to look at a platform, oldest first: the name of a schedule, `look` for
        a look that one has queued, or None for all else.

        `since` is what `last_invocation` was. An invocation is known from its beginning on.
        """
        mine = [it for it in self.wakings() if it["event"].get("sweep") or platform in json.dumps(it["event"])]
        woken = [it for it in mine if it["number"] > since]
        return [it["schedule"] or (_LOOK if _is_look(it["event"]) else None) for it in woken]

    def quiet(self, platform: str) -> None:
        """Wait until reconcile does nothing, and nothing is on its way to it but the schedule."""

        def look() -> bool:
            ended = {it["name"] for it in self.executions(platform) if it["status"] != "RUNNING"}
            before = self.wakings()
            queued = self.waiting("NudgesUrl", (*_VISIBLE, "Delayed")) + self.waiting("LooksUrl", _VISIBLE)
            heard = {it["event"].get("detail", {}).get("name") for it in before}
            busy = any(it["running"] for it in before) or self.wakings() != before
            return ended <= heard and not queued and not busy

        self.until(look, "reconcile to have nothing to do", 60)

    @property
    def last_invocation(self) -> int:
        """The number of the last invocation of a function that has begun."""
        return max((int(it["number"]) for it in self.aws.invocations()), default=0)

    def faults_struck(self, logical: str) -> int:
        """How many invocations of a function a fault has hit so far."""
        return sum(row["faults"] for name, row in self.aws.counters()["lambda"].items() if f"-{logical}-" in name)

    def table(self, operation: str, **arguments: Any) -> Any:
        """An operation on the operator's table."""
        return getattr(self.client("dynamodb"), operation)(TableName=self.aws.outputs["TableName"], **arguments)

    @staticmethod
    def key(key: Mapping[str, str]) -> dict[str, Any]:
        """A key in DynamoDB's words."""
        return {name: {"S": value} for name, value in key.items()}

    def dead_letters(self) -> list[dict[str, Any]]:
        """What lies in the operator's dead-letter queue; it stays there."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            answer = self.client("sqs").receive_message(
                QueueUrl=self.aws.outputs["DeadLettersUrl"],
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                VisibilityTimeout=0,
            )
            fresh = {message["MessageId"]: message for message in answer.get("Messages", [])}
            if not fresh.keys() - found.keys():
                return list(found.values())
            found |= fresh

    def executions(self, platform: str) -> list[dict[str, Any]]:
        """Executions of the deploy machine for one platform."""
        arguments = {"stateMachineArn": self.aws.outputs["DeployMachineArn"]}
        pages = self.client("stepfunctions").get_paginator("list_executions").paginate(**arguments)
        found = [item for page in pages for item in page["executions"]]
        return [item for item in found if item["name"].startswith(f"{platform}-")]

    def messages(self, platform: str) -> list[OutboxMessage]:
        """All outbox messages of a platform."""
        found = self.table(
            "scan", FilterExpression="begins_with(sk, :o)", ExpressionAttributeValues={":o": {"S": "OUTBOX#"}}
        )
        plain = [{k: TypeDeserializer().deserialize(v) for k, v in item.items()} for item in found["Items"]]
        return [OutboxMessage.model_validate(item) for item in plain if item["platform"] == platform]

    @property
    def inbox(self) -> Inbox:
        """The mails that SES has sent."""
        return Inbox(self.aws.emulator.endpoint)

    @property
    def approvals_url(self) -> str:
        """Where the approval pages are, without a slash at the end."""
        return self.aws.outputs["ApprovalsUrl"].rstrip("/")

    def scan(self, digest: str, **scan: Any) -> None:
        """What ECR's image scan says of an image from now on; nothing at all: it was never scanned."""
        url = f"{self.aws.emulator.endpoint}/_ferryman/scans/{digest}"
        httpx.put(url, json=scan, trust_env=False, timeout=10).raise_for_status()

    def clear_scans(self) -> None:
        """Every image was scanned, and nothing found."""
        httpx.delete(f"{self.aws.emulator.endpoint}/_ferryman/scans", trust_env=False, timeout=10).raise_for_status()

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Mails that SES has sent to an address."""
        answer = httpx.get(f"{self.aws.emulator.endpoint}/_ministack/ses/messages", trust_env=False, timeout=10)
        return [mail for mails in answer.json()["messages"].values() for mail in mails if to in mail["To"]]

    def until[T](self, look: Callable[[], T | None], what: str, seconds: float = 20) -> T:
        """Wait for something."""
        return wait_until(look, seconds, what)

    # ── gates ──

    def gate(self, name: str) -> Path:
        """A file that an app waits for."""
        self._closed.add(self.gates / name)
        return self.gates / name

    def open_all_gates(self) -> None:
        """Let everything go on that still waits."""
        for file in self._closed:
            file.touch()
        self._closed.clear()

    # ── what must not have happened ──

    def take_down_denials(self) -> None:
        """Note what AWS did not allow the Lambdas, even where code lives with it, and task tokens; forget the rest."""
        answered = (request for request in self.proxy.requests if request.action == "SendTaskSuccess")
        self.task_tokens |= {str(request.arguments.get("taskToken")) for request in answered}
        for request in self.proxy.requests:
            action = f"{request.service}:{request.action}"
            if "AccessDenied" in request.error and action not in self.expected_denials:
                self.denied.add(f"{action} {json.dumps(request.arguments, default=str)[:1500]}")
        self.proxy.forget_requests()
