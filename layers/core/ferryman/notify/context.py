"""The dependencies of a channel: clients, store, clock, and access to the document's references and secrets."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ferryman import ids
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.github.client import REAL_NETWORK, Network
from ferryman.clients.ssm import References
from ferryman.ids import Clock, NewId
from ferryman.platform.hosts import Hosts
from ferryman.store.table import Store

if TYPE_CHECKING:
    from ferryman.platform.secret_uses import Use


@dataclass(frozen=True)
class Context:
    """The dependencies of every channel. Tests replace them."""

    make_client: MakeClient
    """Makes the boto3 client of a service, and keeps it."""
    store: Store
    clock: Clock
    approvals_url: str
    """Address of the approval pages; empty when it is unknown."""
    network: Network = REAL_NETWORK
    """The network, for HTTP."""
    new_id: NewId = ids.new_id
    hosts: Hosts = field(default_factory=Hosts)
    """Where secrets may be sent."""
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def client(self) -> MakeClient:
        """Returns the boto3 client of a service: `client("sns")`. It is made when a channel first asks for it."""
        return self._one_at_a_time

    def _one_at_a_time(self, service: Any) -> Any:
        # Messages are sent concurrently, and boto3 cannot create two clients at the same time.
        with self._making:
            return self.make_client(service)

    def text(self, value: str) -> str:
        """Return a value of the document, or what the parameter it names holds. Raise ReferenceUnresolved."""
        return References(self.client("ssm")).text(value)

    def texts(self, value: list[str]) -> list[str]:
        """Return a list of the document, each of its items resolved. Raise ReferenceUnresolved."""
        return References(self.client("ssm")).texts(value)

    def secret(self, arn: str, platform: str, use: "Use") -> str:
        """Return the text of a platform's secret for a use; `arn` may be a reference.

        Raise SecretRefused when its name says that it is for something else, or what `clients.secrets.read` raises.
        """
        # Here, because most messages need no secret.
        from ferryman.clients import secrets

        return secrets.read(self.client, arn, platform, use)
