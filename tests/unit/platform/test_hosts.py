"""To which addresses a secret may be sent: those of Slack and GitHub, and those that the operator's stack names."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from ferryman.platform.hosts import GITHUB, SLACK, SLACK_HOOKS, Hosts, Receiver, origin_of

NONE = Hosts()
SOME = Hosts(slack="chat.example:8443, http://127.0.0.1:4000", github="git.example,git.example:8443", loopback=True)


@pytest.mark.parametrize(
    ("address", "receiver", "hosts"),
    [
        ("https://slack.com/api", SLACK, NONE),
        ("https://slack-gov.com/api", SLACK, NONE),
        ("https://SLACK.com:443/api", SLACK, NONE),
        ("https://hooks.slack.com/services/T0/B0/x", SLACK_HOOKS, NONE),
        ("https://hooks.slack-gov.com/services/T0/B0/x", SLACK_HOOKS, NONE),
        ("https://api.github.com", GITHUB, NONE),
        ("https://git.example/api/v3", GITHUB, SOME),
        ("https://git.example:8443/api/v3", GITHUB, SOME),
        ("https://chat.example:8443/hooks/a?b=c", SLACK_HOOKS, SOME),
        ("http://127.0.0.1:4000/api", SLACK, SOME),
    ],
)
def test_allowed(address: str, receiver: Receiver, hosts: Hosts) -> None:
    assert hosts.problem(address, receiver) is None
    assert hosts.allows(address, receiver)


TRICKS = [
    "https://hooks.slack.com.evil.example/services/x",
    "https://evil.example/?hooks.slack.com",
    "https://evil.example/#https://hooks.slack.com/",
    "https://evil.example#@hooks.slack.com/",
    "https://hooks.slack.com@evil.example/",
    "https://hooks.slack.com:443@evil.example/",
    "https://user:password@hooks.slack.com/",
    "https://@hooks.slack.com/",
    "https://hooks.slack.com:/services",
    "https://hooks.slack.com:0443/services",
    "https://hooks.slack.com:8443/services",
    "https://hooks.slack.com:99999/services",
    "https://hooks.slack.com:x/services",
    "https://hooks.slack.com./services",
    "https://hooks.slack.com../services",
    "https://.hooks.slack.com/services",
    "https://hooks.slack.com\\@evil.example/",
    "https://evil.example\\@hooks.slack.com/",
    "https://evil.example\\.hooks.slack.com/",
    "https:\\\\hooks.slack.com/services",
    "https:/hooks.slack.com/services",
    "https:hooks.slack.com/services",
    "https:///hooks.slack.com/services",
    "//hooks.slack.com/services",
    "hooks.slack.com/services",
    "http://hooks.slack.com/services",
    "ftp://hooks.slack.com/services",
    "javascript://hooks.slack.com/%0aalert(1)",
    "https://hooks.slack.com/ser vices",
    "https://hooks.slack.com/\r\nHost: evil.example",
    " https://hooks.slack.com/services",
    "https://hooks.slack.com\t.evil.example/",
    "https://hooks.slack.com%2eevil.example/",
    "https://hooks.slack.com%00.evil.example/",
    "https://hooks.sl\u0430ck.com/services",
    "https://hooks.slack\u3002com/services",
    "https://hooks.slack.com\uff0f@evil.example/",
    "https://h\u24deoks.slack.com/services",
    "https://xn--hooks-.slack.com/services",
    "https://xn--slck-5cd.com/services",
    "https://evilhooks.slack.com/services",
    "https://slack.com/services",
    "https://[::1]/services",
    "https://[hooks.slack.com]/services",
    "https://127.0.0.1/services",
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "http://localhost:4000/services",
    "https://169.254.169.254/latest",
    "",
    "https://",
    "https://hooks.slack.com/" + "x" * 3000,
]


@pytest.mark.parametrize("address", TRICKS)
def test_refused(address: str) -> None:
    for hosts in (NONE, SOME):
        told = hosts.problem(address, SLACK_HOOKS)
        assert told, address
        assert "password" not in told.replace("user name or password", "")


def test_the_three_refusals() -> None:
    assert NONE.problem("https://evil.example:8443/api", SLACK) == (
        "evil.example:8443 is not a host of Slack, so no secret is sent there; allowed are slack-gov.com, slack.com. "
        "To allow another one, name it in AllowedSlackHosts, a parameter of the operator's stack"
    )
    assert NONE.problem("http://slack.com/api", SLACK) == "must begin with https://, because a secret is sent there"
    assert NONE.problem("https://jo:hunter2@slack.com/api", SLACK) == (
        "is not an address that a secret can be sent to; write https://HOST/PATH in plain characters, without a user "
        "name or password"
    )


def test_what_is_allowed_for_one_receiver_is_not_for_another() -> None:
    assert not SOME.allows("https://git.example/api", SLACK)
    assert not SOME.allows("https://git.example/api", SLACK_HOOKS)
    assert not SOME.allows("https://chat.example:8443/api", GITHUB)
    assert not NONE.allows("https://api.github.com/x", SLACK)
    assert not NONE.allows("https://slack.com/x", GITHUB)


@pytest.mark.parametrize(
    "entries",
    ["*", "*.example", "https://evil.example", "evil.example/", ".evil.example", "evil.example:", "evil.example:0",
     "@evil.example", "evil.example evil.example", "http://evil.example:80", "\u0435vil.example", ",,"],
)  # fmt: skip
def test_an_entry_that_is_no_host_allows_nothing(entries: str) -> None:
    hosts = Hosts(slack=entries, github=entries, loopback=True)
    for address in (
        "https://evil.example/x",
        "http://evil.example/x",
        "http://evil.example:80/x",
        "https://x.example/",
    ):
        assert not hosts.allows(address, SLACK), entries
    assert hosts.allows("https://slack.com/api", SLACK)


def test_this_machine_counts_only_where_its_services_are() -> None:
    entry = "http://127.0.0.1:9001"
    assert Hosts(slack=entry, loopback=True).allows(f"{entry}/api", SLACK)
    assert not Hosts(slack=entry).allows(f"{entry}/api", SLACK)


@given(some.text(alphabet=some.sampled_from("https:/@\\?#.%[]-0\tX slack.comeví"), max_size=40))
def test_httpx_would_go_to_the_host_that_was_judged(rest: str) -> None:
    """Two parsers, one answer: what passes here is sent by httpx to the same host."""
    address = f"https://{rest}"
    origin = origin_of(address)
    if origin is not None:
        url = httpx.URL(address)
        port = f":{url.port}" if url.port is not None else ""
        assert origin == (url.scheme, f"{url.host}{port}")
        assert not url.userinfo
