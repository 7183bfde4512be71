"""A local AWS for single steps: the infrastructure is real, and a table of its own holds what an event meets."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from ferryman.records import OutboxMessage, Record, TimelineEvent, Wait
from ferryman.records.writes import Add, Save
from ferryman.store.table import Store
from ferryman_local.local_aws import LocalAws

BOOTSTRAP, VERSION = "bootstrap", "3f9c2ab"
PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Stage:
    """The whole operator is deployed, so that its functions have their environment; these tests change some of it."""

    def __init__(self, home: Path) -> None:
        self.aws = LocalAws(home, parameters={"SweepRate": "rate(1 day)"}, wait_scale=0.01)
        self.region = self.aws.emulator.region

    def start(self) -> "Stage":
        """Bring it up; nothing in it moves by itself."""
        self.aws.start()
        assert self.aws.relay is not None
        self.aws.relay.stop()
        self.aws.relay = None
        # A version that was really pushed; that it is the placeholder is of no matter here.
        self.aws.tag(BOOTSTRAP, VERSION)
        self.dynamodb, self.ecs, self.ecr = (self.client(name) for name in ("dynamodb", "ecs", "ecr"))
        self.sqs, self.states = self.client("sqs"), self.client("stepfunctions")
        self.table = self._own_table()
        self.store = Store(self.dynamodb, self.table)
        self.queue = self.sqs.create_queue(QueueName="invoked")["QueueUrl"]
        role = self.client("iam").create_role(RoleName="invoked", AssumeRolePolicyDocument=json.dumps(ROLE))
        self.machine = self.states.create_state_machine(
            name="invoked", definition=json.dumps(PASS), roleArn=role["Role"]["Arn"]
        )["stateMachineArn"]
        return self

    def stop(self) -> None:
        """End everything."""
        self.aws.stop()

    def client(self, service: str) -> Any:
        """A client as the account's root."""
        return self.aws.emulator.session().client(service)  # type: ignore[call-overload]

    @property
    def variables(self) -> dict[str, str]:
        """What functions have otherwise than the deployed ones: what they change is these tests' own."""
        return {
            "TABLE_NAME": self.table,
            "NUDGES_URL": self.queue,
            "LOOKS_URL": self.queue,
            "MACHINE_ARN": self.machine,
            "MIGRATE_MACHINE_ARN": self.machine,
        }

    def _own_table(self) -> str:
        like = self.dynamodb.describe_table(TableName=self.aws.outputs["TableName"])["Table"]
        indexes = [
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
            for index in like["GlobalSecondaryIndexes"]
        ]
        self.dynamodb.create_table(
            TableName="invoked",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=like["AttributeDefinitions"],
            KeySchema=like["KeySchema"],
            GlobalSecondaryIndexes=indexes,
        )
        return "invoked"

    # ── what an event meets, and what it left ──

    def set(self, records: Iterable[Record]) -> None:
        """Forget everything and remember just this."""
        for item in self._items():
            self.dynamodb.delete_item(TableName=self.table, Key={name: item[name] for name in ("pk", "sk")})
        # Delayed ones too, which would be seen by whoever comes next.
        self.sqs.purge_queue(QueueUrl=self.queue)
        for record in records:
            add = isinstance(record, OutboxMessage | TimelineEvent | Wait)
            self.store.write(Add(record) if add else Save(record))  # type: ignore[arg-type]

    def left(self) -> dict[str, Any]:
        """What is remembered now, and who was nudged."""
        read = TypeDeserializer().deserialize
        items = [{name: read(value) for name, value in item.items()} for item in self._items()]
        return {"table": json.loads(json.dumps(items, default=str)), "nudges": self._nudges()}

    def _items(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"]]

    def _nudges(self) -> list[str]:
        found: list[str] = []
        while got := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)

    # ── the infrastructure ──

    def service(self, environment: str, component: str) -> dict[str, Any]:
        """A service as ECS describes it."""
        name = f"scr-{component}-{environment}"
        return dict(self.ecs.describe_services(cluster=f"scr-{environment}", services=[name])["services"][0])

    def digest(self, component: str) -> str:
        """The digest of the image that a component's services run."""
        return str(self.ecr.describe_images(repositoryName=f"scr-{component}")["imageDetails"][0]["imageDigest"])
