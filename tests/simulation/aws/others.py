"""Services of which little is needed: Lambda, SSM, Secrets Manager, SNS, SES, CloudWatch Logs."""

import json
from collections.abc import Callable
from typing import Any

from simulation.aws.errors import refusal
from simulation.documents import GITHUB_TOKEN, GRANTS, TOPIC
from unit.fakes.github import TOKEN

Request = dict[str, Any]
PARAMETERS = {"/ferryman/scr/team": TOPIC, "/ferryman/operator/access/scr": json.dumps(GRANTS)}


class Others:
    """What was sent, and where an asynchronous invocation goes."""

    def __init__(self, invoke: Callable[[str, Any], None]) -> None:
        self._invoke = invoke
        self.told: list[Request] = []
        """Messages that were published to topics."""
        self.mails: list[tuple[str, str]] = []
        """Address and text of each mail."""

    def lambda_invoke(self, request: Request) -> Request:
        """Invoke, asynchronously."""
        self._invoke(request["FunctionName"], json.loads(request["Payload"]))
        return {"StatusCode": 202}

    def ssm_get_parameter(self, request: Request) -> Request:
        """GetParameter."""
        if request["Name"] not in PARAMETERS:
            raise refusal("GetParameter", "ParameterNotFound")
        return {"Parameter": {"Type": "String", "Value": PARAMETERS[request["Name"]]}}

    def secretsmanager_get_secret_value(self, request: Request) -> Request:
        """GetSecretValue."""
        assert request["SecretId"] == GITHUB_TOKEN, request
        return {"SecretString": TOKEN}

    def sns_publish(self, request: Request) -> Request:
        """Publish."""
        self.told.append(request)
        return {"MessageId": "published"}

    def sesv2_send_email(self, request: Request) -> Request:
        """SendEmail: a repeated call is another mail."""
        text = request["Content"]["Simple"]["Body"]["Text"]["Data"]
        self.mails += [(address, text) for address in request["Destination"]["ToAddresses"]]
        return {"MessageId": "sent"}

    def logs_get_log_events(self, request: Request) -> Request:
        """GetLogEvents."""
        return {"events": [{"message": "it went wrong", "timestamp": 0}], "nextForwardToken": "f/1"}
