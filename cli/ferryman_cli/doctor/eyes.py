"""The caller's own eyes: reads AWS with the caller's credentials. Nothing here changes anything.

A refusal is an answer, too: what the caller may not read is a `Blind` that names the missing permission.
"""

import os
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ferryman_cli.doctor.checks import Answer, Blind, Seen

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_PREFIX = {"sesv2": "ses", "elbv2": "elasticloadbalancing"}
"""Service of boto3 → prefix of its IAM actions, where they differ."""


class NoCredentials(Exception):
    """There are no AWS credentials; or they cannot be loaded, and the message says why."""


def session_and_region() -> tuple[Any, str | None]:
    """Return botocore's session, whose credentials load, and the region that is set, if any. Raise NoCredentials."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session()
    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentials
        # Read them now, so that an expired login is found here rather than in the first answer.
        credentials.get_frozen_credentials()
        return session, os.environ.get("AWS_REGION") or session.get_config_variable("region")
    except BotoCoreError as error:
        raise NoCredentials(str(error)) from None


class Eyes:
    """Reads one account and region. `session` is botocore's; clients are made at first use."""

    def __init__(self, session: Any, region: str) -> None:
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self.ahead: float | None = None
        """By how many seconds this machine's clock is ahead of AWS's, as the last answer told; None: not known."""

    def look(self, service: str, operation: str, *, missing: Collection[str] = (), **arguments: Any) -> Seen:
        """Ask AWS; an error with a code in `missing` means that there is no such thing."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = self._client(service)
            answer: Answer = getattr(client, operation)(**arguments)
        except ClientError as error:
            self._note_clock(error.response)
            code, told = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code in missing:
                return None
            if code in _DENIED:
                return Blind(needs=self._action(service, operation))
            return Blind(why=f"{code}: {told}")
        except BotoCoreError as error:
            return Blind(why=str(error))
        self._note_clock(answer)
        return answer

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        if service not in self._clients:
            config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
            self._clients[service] = self._session.create_client(service, region_name=self.region, config=config)
        return self._clients[service]

    def _action(self, service: str, operation: str) -> str:
        name = self._clients[service].meta.method_to_api_mapping[operation]
        return f"{_PREFIX.get(service, service)}:{name}"

    def _note_clock(self, answer: Any) -> None:
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            self.ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
        except (ValueError, TypeError):
            return
