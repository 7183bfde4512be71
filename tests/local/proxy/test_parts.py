"""Which AWS call a request is, and the framing of bodies."""

import asyncio
import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ferryman_local.proxy import wire
from ferryman_local.proxy.identify import identify
from ferryman_local.proxy.wire import Framing, Head


def request(method: str, url: str, *, service: str = "", body: bytes = b"", **headers: str) -> Head:
    """The head of a request as botocore signs it for a service (unsigned without one)."""
    host = "http://127.0.0.1:4000"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = AWSRequest(method, host + url, data=body, headers=named)
    if service:
        SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), service, "eu-west-1").add_auth(signed)
    lower = {name.lower(): value for name, value in signed.headers.items()}
    return Head(b"", (method, url, "HTTP/1.1"), {"host": "127.0.0.1:4000", **lower})


@pytest.mark.parametrize(
    ("head", "body", "service", "action"),
    [
        pytest.param(
            request("POST", "/", service="ecs", X_Amz_Target="AmazonEC2ContainerServiceV20141113.UpdateService"),
            b'{"cluster": "c"}', "ecs", "UpdateService", id="json",
        ),
        pytest.param(
            request("POST", "/", service="states", X_Amz_Target="AWSStepFunctions.SendTaskSuccess"),
            b"{}", "states", "SendTaskSuccess", id="states",
        ),
        pytest.param(
            request("POST", "/", X_Amz_Target="DynamoDB_20120810.PutItem"), b"{}", "dynamodb", "PutItem", id="unsigned"
        ),
        pytest.param(
            request("POST", "/", service="sns", Content_Type="application/x-www-form-urlencoded; charset=utf-8"),
            b"Action=Publish&Message=a%20b", "sns", "Publish", id="query",
        ),
        pytest.param(
            request("POST", "/2015-03-31/functions/begin/invocations", service="lambda"),
            b"{}", "lambda", "Invoke", id="lambda-invoke",
        ),
        pytest.param(
            request("GET", "/2015-03-31/functions/begin/configuration", service="lambda"),
            b"", "lambda", "GetFunctionConfiguration", id="lambda-literal-before-parameter",
        ),
        pytest.param(
            request("POST", "/v2/email/outbound-emails", service="ses"), b"{}", "ses", "SendEmail", id="ses"
        ),
        pytest.param(request("PUT", "/v2/scr-api/manifests/1"), b"{}", "registry", "PUT", id="registry"),
        pytest.param(
            request("POST", "/", service="lambda", Host="abc.lambda-url.eu-west-1.on.aws"),
            b"{}", "lambda-url", "POST", id="function-url-by-host",
        ),
        pytest.param(request("GET", "/_aws/lambda-url/abc/"), b"", "lambda-url", "GET", id="function-url-by-path"),
        pytest.param(request("GET", "/bucket/key", service="s3"), b"", "s3", "GET", id="s3"),
        pytest.param(request("GET", "/_ministack/health"), b"", "http", "GET", id="no-aws-call"),
    ],
)  # fmt: skip
def test_calls(head: Head, body: bytes, service: str, action: str) -> None:
    call = identify(head, body)

    assert (call.service, call.action) == (service, action)
    assert call.access_key == ("AKIDEXAMPLE" if "authorization" in head.headers else "")


def test_arguments_are_the_document_or_the_form() -> None:
    target = request("POST", "/", X_Amz_Target="AWSEvents.PutRule")
    form = request("POST", "/", Content_Type="application/x-www-form-urlencoded")

    assert identify(target, b'{"Name": "r"}').arguments == {"Name": "r"}
    assert identify(target, b"[no json").arguments == {}
    assert identify(form, b"Action=Publish&Message=a%20b").arguments == {"Action": "Publish", "Message": "a b"}


def read(raw: bytes, framing: Framing) -> bytes:
    async def all_of_it() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        reader.feed_eof()
        return await wire.body(reader, framing)

    return asyncio.run(all_of_it())


CHUNKED = b"4;x=1\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "framing", "expected"),
    [
        pytest.param(b"abcdef", Framing(length=3), b"abc", id="length"),
        pytest.param(b"abcdef", Framing(length=None), b"abcdef", id="until-closed"),
        pytest.param(CHUNKED + b"next", Framing(chunked=True, length=None), CHUNKED, id="chunked-as-it-stands"),
    ],
)
def test_bodies_end_where_they_end(raw: bytes, framing: Framing, expected: bytes) -> None:
    assert read(raw, framing) == expected


def test_chunks_carry_their_content() -> None:
    assert wire.content(CHUNKED, Framing(chunked=True, length=None)) == b"Wikipedia"


def test_a_body_that_breaks_off_is_an_error() -> None:
    with pytest.raises(wire.WireError):
        read(b"ab", Framing(length=3))


def head_of(raw: str) -> Head:
    async def it() -> Any:
        reader = asyncio.StreamReader()
        reader.feed_data(raw.encode())
        reader.feed_eof()
        return await wire.read_head(reader)

    head = asyncio.run(it())
    assert head is not None
    return head  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("raw", "method", "framing"),
    [
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "GET", Framing(length=7), id="length"),
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HEAD", Framing(length=0), id="head"),
        pytest.param("HTTP/1.1 204 \r\n\r\n", "PUT", Framing(length=0), id="no-content"),
        pytest.param("HTTP/1.1 200 \r\n\r\n", "GET", Framing(length=None), id="until-closed"),
        pytest.param(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET",
            Framing(chunked=True, length=None),
            id="chunked",
        ),
    ],
)
def test_how_an_answer_ends(raw: str, method: str, framing: Framing) -> None:
    assert wire.response_framing(head_of(raw), method) == framing


def test_the_head_keeps_its_bytes() -> None:
    raw = "POST /a%2Fb?x=%20 HTTP/1.1\r\nHoSt: h:1\r\nX-Two: a\r\nX-Two: b\r\n\r\n"

    assert head_of(raw).raw == raw.encode()
    assert head_of(raw).start == ("POST", "/a%2Fb?x=%20", "HTTP/1.1")
    assert json.dumps(head_of(raw).headers) == '{"host": "h:1", "x-two": "b"}'
