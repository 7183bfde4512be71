"""Function URLs on the local AWS: the approval pages are behind one that anybody can open."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from ferryman_local.emulator import Emulator

ECHO = """
import json, time
def handler(event, context):
    if event["rawPath"].endswith("/slow"):
        time.sleep(1)
    return {"statusCode": 200, "headers": {"content-type": "text/html"}, "cookies": ["a=1", "b=2"],
            "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def url(aws: Callable[[str], Any], function: Callable[..., str]) -> str:
    name = function(ECHO)
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    made = aws("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")
    found: str = aws("lambda").get_function_url_config(FunctionName=name)["FunctionUrl"]
    assert found == made["FunctionUrl"]
    return found


@pytest.fixture
def browser(url: str) -> Any:
    with httpx.Client(base_url=url, trust_env=False, headers={"user-agent": "a browser"}) as client:
        yield client


def test_a_public_url_can_be_opened_as_it_is(browser: httpx.Client, emulator: Emulator, url: str) -> None:
    assert url.startswith(f"{emulator.endpoint}/_aws/lambda-url/")
    assert url.endswith("/")
    answer = browser.get("a/01ABC/nonce?x=1&x=2&y=ü")
    event = answer.json()
    assert (event["rawPath"], event["queryStringParameters"]) == ("/a/01ABC/nonce", {"x": "1,2", "y": "ü"})
    http = event["requestContext"]["http"]
    assert (http["method"], http["sourceIp"], http["userAgent"]) == ("GET", "127.0.0.1", "a browser")
    assert "authorizer" not in event["requestContext"]
    assert event["headers"]["host"] == httpx.URL(url).netloc.decode()
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "access-control-allow-origin" not in answer.headers


def test_a_form_arrives_base64_encoded(browser: httpx.Client) -> None:
    event = browser.post("a/x", data={"decision": "approve", "version": "3f9c2ab"}).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"decision=approve&version=3f9c2ab"
    event = browser.post("a/x", json={"a": 1}).json()
    assert (event["isBase64Encoded"], json.loads(event["body"])) == (False, {"a": 1})


def test_headers_that_come_twice_are_joined_and_cookies_listed(browser: httpx.Client) -> None:
    event = browser.get("", headers=[("x-two", "1"), ("x-two", "2"), ("cookie", "a=1; b=2")]).json()
    assert event["headers"]["x-two"] == "1, 2"
    assert (event["cookies"], "cookie" in event["headers"]) == (["a=1", "b=2"], False)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_every_method_reaches_the_function(browser: httpx.Client, method: str) -> None:
    answer = browser.request(method, "a/x")
    assert answer.status_code == 200
    if method == "HEAD":
        assert answer.content == b""
        assert int(answer.headers["content-length"]) > 0
    else:
        assert answer.json()["requestContext"]["http"]["method"] == method


def test_more_requests_at_a_time_than_reserved_are_turned_away(browser: httpx.Client) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: browser.get("slow", timeout=20).status_code, range(6)))
    assert set(answers) == {200, 429}
