"""Delivers a payload to a rule's target, or to the target's dead-letter queue if that fails."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from ferryman_local.relay.rules import Rule

logger = logging.getLogger(__name__)


class UnsupportedTargetError(ValueError):
    """The relay does not support this kind of target."""


class Targets:
    """Delivers with the public API of the target's service; clients are created when first needed."""

    def __init__(self, session: boto3.Session, **arguments: Any) -> None:
        self._session = session
        self._arguments = arguments
        self._clients: dict[str, Any] = {}
        self._queues: dict[str, str] = {}
        self._senders: dict[str, Callable[[Mapping[str, Any], str], None]] = {
            "lambda": self._to_lambda,
            "sqs": self._to_queue,
            "sns": self._to_topic,
            "states": self._to_machine,
        }

    def deliver(self, target: Mapping[str, Any], payload: str) -> None:
        """One attempt; raises botocore's errors or UnsupportedTargetError."""
        service = str(target["Arn"]).split(":")[2]
        if service not in self._senders:
            raise UnsupportedTargetError(f"the relay cannot deliver to {target['Arn']}")
        self._senders[service](target, payload)

    def bury(self, rule: Rule, target: Mapping[str, Any], payload: str, error: Exception, attempts: int) -> bool:
        """Send the event to the target's dead-letter queue with EventBridge's attributes; False if it has none."""
        arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            return False
        response = getattr(error, "response", {})
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": str(target["Arn"]),
            "ERROR_CODE": str(response.get("Error", {}).get("Code") or type(error).__name__),
            "ERROR_MESSAGE": str(error) or type(error).__name__,
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "RETRY_ATTEMPTS": str(attempts - 1),
        }
        self._client("sqs").send_message(
            QueueUrl=self._queue_url(arn),
            MessageBody=payload,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return True

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, **self._arguments)  # type: ignore[call-overload]
        return self._clients[service]

    def _to_lambda(self, target: Mapping[str, Any], payload: str) -> None:
        self._client("lambda").invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=payload.encode())

    def _to_queue(self, target: Mapping[str, Any], payload: str) -> None:
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        fifo = {"MessageGroupId": group} if group else {}
        self._client("sqs").send_message(QueueUrl=self._queue_url(target["Arn"]), MessageBody=payload, **fifo)

    def _to_topic(self, target: Mapping[str, Any], payload: str) -> None:
        self._client("sns").publish(TopicArn=target["Arn"], Message=payload)

    def _to_machine(self, target: Mapping[str, Any], payload: str) -> None:
        self._client("stepfunctions").start_execution(stateMachineArn=target["Arn"], input=payload)

    def _queue_url(self, arn: str) -> str:
        if arn not in self._queues:
            name, account = arn.split(":")[5], arn.split(":")[4]
            answer = self._client("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            self._queues[arn] = answer["QueueUrl"]
        return self._queues[arn]
