"""A GitHub App's way in: a signed token, exchanged for one of its installation that lasts an hour.

Called by `clients.github.auth`. Source: GitHub's documentation, "Generating a JSON Web Token for a GitHub App".
"""

import base64
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from ferryman.clients.github.client import REAL_NETWORK, Api, Network, part, text_of
from ferryman.errors import PermanentError
from ferryman.ids import Clock

_EARLIER = timedelta(minutes=5)
"""A token is not used in its last minutes."""
_BUDGET_SECONDS = 8.0


class KeyUnusable(PermanentError):
    """The secret does not contain a usable key for GitHub. The value is never quoted."""


class Installations:
    """Tokens of installations, kept while the sandbox lives; several threads may ask."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def token(
        self,
        url: str,
        client_id: str,
        installation_id: str,
        private_key: Callable[[], str],
        *,
        clock: Clock,
        renew: bool = False,
        network: Network = REAL_NETWORK,
    ) -> str:
        """Return a token that lasts some minutes yet. Raise KeyUnusable, Declined, Throttled or Unavailable."""
        key = (url, client_id, installation_id)
        with self._lock:
            token, until = self._known.get(key, ("", None))
            if until is not None and not renew and clock() < until - _EARLIER:
                return token
            signed = signed_token(client_id, private_key(), clock())
            answer = Api(url, lambda _: signed, network, budget=_BUDGET_SECONDS).post(
                f"/app/installations/{part(installation_id)}/access_tokens", {}
            )
            token = text_of(answer, "token")
            self._known[key] = (token, _expiry(answer.get("expires_at"), clock()))
            return token


def signed_token(client_id: str, private_key: str, now: datetime) -> str:
    """Return a JWT (RS256) that says who the app is, good for nine minutes. Raise KeyUnusable."""
    # Here, because it takes a while to load, and only apps need it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyUnusable("the secret of the GitHub App contains no RSA private key; store the PEM file from GitHub")
    issued = int(now.timestamp())
    # A minute back: clocks differ.
    claims = {"iat": issued - 60, "exp": issued + 540, "iss": client_id}
    signed = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_base64(signature)}"


def _expiry(value: object, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return now
    return at if at.tzinfo is not None else now


def _encoded(data: dict[str, object]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
