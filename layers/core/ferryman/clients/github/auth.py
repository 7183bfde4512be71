"""From `spec.github` to an API with a key. Called by notify and publish_release."""

import functools
from dataclasses import dataclass

from botocore.exceptions import ClientError

from ferryman.clients import secrets
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.github.app_token import Installations, KeyUnusable
from ferryman.clients.github.client import REAL_NETWORK, Api, Bearer, Declined, Network, an_object, part, text_of
from ferryman.clients.secrets import value_in
from ferryman.clients.ssm import References
from ferryman.ids import Clock
from ferryman.platform import GitHub
from ferryman.platform.hosts import GITHUB, Hosts
from ferryman.platform.secret_uses import Use


@dataclass(frozen=True)
class Project:
    """One repository, and the API to reach it with."""

    api: Api
    path: str
    """Its path in the API: `/repos/owner/name`."""
    page: str
    """Its address for people."""

    def commit(self, ref: str) -> str | None:
        """Return the full sha of a commit, short sha or tag; None when the project has none such.

        Raise Declined when the project itself is not there for us.
        """
        try:
            return text_of(an_object(self.api.get(f"{self.path}/commits/{part(ref)}")), "sha")
        except Declined as error:
            if error.status not in (404, 409, 422):
                raise
            if error.status == 404 and self.api.find(self.path) is None:
                raise Declined(404, f"{self.page} does not exist, or our key has no access to it") from None
            return None


def connect(
    github: GitHub,
    client: MakeClient,
    *,
    platform: str,
    hosts: Hosts,
    clock: Clock,
    network: Network = REAL_NETWORK,
    installations: Installations | None = None,
) -> Project:
    """Return the project of a platform; its key is read when it is first needed.

    Raise KeyUnusable when the key may not be sent to its API. What is asked then raises KeyUnusable, SecretRefused,
    ReferenceUnresolved, Declined, Throttled or Unavailable.
    """
    elsewhere = hosts.problem(github.api_url, GITHUB)
    if elsewhere is not None:
        raise KeyUnusable(f"spec.github.apiUrl: {elsewhere}")
    bearer = _bearer(github, client, platform, clock, network, installations or _installations())
    api = Api(github.api_url, bearer, network)
    return Project(api, f"/repos/{github.repository}", f"{github.web_url}/{github.repository}")


@functools.cache
def _installations() -> Installations:
    """Those of this sandbox."""
    return Installations()


def _bearer(
    github: GitHub,
    client: MakeClient,
    platform: str,
    clock: Clock,
    network: Network,
    installations: Installations,
) -> Bearer:
    references = References(client("ssm"))
    read: dict[str, str] = {}

    def secret(arn: str) -> str:
        if arn not in read:
            read[arn] = secrets.read(client, arn, platform, Use.GITHUB, references)
        return read[arn]

    def of_app(renew: bool) -> str:
        app = github.app
        assert app is not None
        return installations.token(
            github.api_url,
            references.text(app.client_id),
            references.text(app.installation_id),
            lambda: private_key_in(secret(app.private_key_secret_arn)),
            clock=clock,
            renew=renew,
            network=network,
        )

    def of_token(_: bool) -> str:
        return token_in(secret(github.token_secret_arn or ""))

    if github.app is None and github.token_secret_arn is None:
        raise KeyUnusable("spec.github has neither a tokenSecretArn nor an app; add one of them")
    of = of_app if github.app is not None else of_token

    def bearer(renew: bool) -> str:
        try:
            return of(renew)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise KeyUnusable(f"cannot read GitHub's key from AWS: {error.operation_name}, {code}") from None

    return bearer


def token_in(secret: str) -> str:
    """Take a token out of a secret: the plain token, or JSON with `token`. Raise KeyUnusable."""
    token = _field(secret, "token")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise KeyUnusable("the secret contains no token: store GitHub's token, plain or as JSON with the field `token`")
    return token


def private_key_in(secret: str) -> str:
    """Take a private key out of a secret: the PEM file, or JSON with `privateKey`. Raise KeyUnusable."""
    # Pasted into JSON by hand, line ends are often written out.
    return _field(secret, "privateKey").replace("\\n", "\n")


def _field(secret: str, name: str) -> str:
    try:
        return value_in(secret, name)
    except ValueError as error:
        raise KeyUnusable(str(error)) from None
