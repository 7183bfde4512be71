"""Where the operator's secrets may be sent: to hosts of Slack and GitHub, and to others that its stack allows. Pure.

`apply` refuses a document that names another address, and each sender asks again before it reads a secret: a stored
document may be older than this rule, and a webhook's address comes out of its secret.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?=&%+,@!$'()*;-]{1,2048}")
"""Of an address. Parsers agree about these, and not about others: a backslash, blanks, letters that only look Latin."""
_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_ALLOWED = re.compile(rf"{_NAME}(?::[1-9][0-9]{{0,4}})?")
_ON_THIS_MACHINE = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Receiver:
    """Who is sent a secret, and at which hosts of its own."""

    name: str
    own: tuple[str, ...]
    parameter: str
    """Of the operator's stack: the other hosts at which it may be."""


# GovSlack has hosts of its own: https://docs.slack.dev/govslack.
SLACK = Receiver("Slack", ("slack.com", "slack-gov.com"), "AllowedSlackHosts")
SLACK_HOOKS = Receiver("Slack's webhooks", ("hooks.slack.com", "hooks.slack-gov.com"), "AllowedSlackHosts")
GITHUB = Receiver("GitHub", ("api.github.com",), "AllowedGitHubHosts")


@dataclass(frozen=True)
class Hosts:
    """What the operator's stack allows besides Slack's and GitHub's own hosts.

    A list is `git.example.com,git.example.com:8443`: exact hosts, with their port where it is not 443. An entry that is
    no host allows nothing.
    """

    slack: str = ""
    """The stack's parameter AllowedSlackHosts."""
    github: str = ""
    """The stack's parameter AllowedGitHubHosts."""
    loopback: bool = False
    """Whether entries such as `http://127.0.0.1:4000` count: on the local AWS, whose Slack and GitHub are there."""

    def allows(self, address: str, receiver: Receiver) -> bool:
        """Tell whether a secret may be sent to an address."""
        return self.problem(address, receiver) is None

    def problem(self, address: str, receiver: Receiver) -> str | None:
        """Return why a secret may not be sent to an address; None when it may. The text quotes a host at most."""
        origin = origin_of(address)
        if origin is None:
            return (
                "is not an address that a secret can be sent to; write https://HOST/PATH in plain characters, without "
                "a user name or password"
            )
        scheme, authority = origin
        allowed = self._allowed(receiver)
        if (authority if scheme == "https" else f"{scheme}://{authority}") in allowed:
            return None
        if scheme != "https":
            return "must begin with https://, because a secret is sent there"
        return (
            f"{authority[:100]} is not a host of {receiver.name}, so no secret is sent there; allowed are "
            f"{', '.join(sorted(allowed))}. To allow another one, name it in {receiver.parameter}, a parameter of the "
            "operator's stack"
        )

    def _allowed(self, receiver: Receiver) -> set[str]:
        listed = self.github if receiver is GITHUB else self.slack
        found = set(receiver.own)
        for entry in (item.strip().lower() for item in listed.split(",")):
            if _ALLOWED.fullmatch(entry):
                found.add(entry.removesuffix(":443"))
            elif self.loopback and _ON_THIS_MACHINE.fullmatch(entry):
                found.add(entry)
        return found


def origin_of(address: str) -> tuple[str, str] | None:
    """Return the scheme and the host of an address, with its port unless it is https's; None when it is doubtful."""
    if not _CHARACTERS.fullmatch(address):
        return None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    # Only as written here: no user, no empty port, no port with zeros in front.
    if not host or parts.netloc.lower() not in (host, f"{host}:{port}") or not re.fullmatch(_NAME, host):
        return None
    return parts.scheme, host if port is None or (parts.scheme == "https" and port == 443) else f"{host}:{port}"
