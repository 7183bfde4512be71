"""Reading what anybody may send to the public endpoint: nothing raises but BadRequest, and all of that is a 4xx."""

import base64
from typing import Any

import pytest

from ferryman.approvals.web import http
from ferryman.approvals.web.http import BadRequest

FORM = {"content-type": "application/x-www-form-urlencoded"}


def event(path: str = "/a/01K/nonce", body: Any = None, headers: Any = None, **more: Any) -> dict[str, Any]:
    context = {"http": {"method": "POST", "path": path, "sourceIp": "203.0.113.7"}}
    return {
        "rawPath": path,
        "requestContext": context,
        "headers": FORM if headers is None else headers,
        "body": body,
        **more,
    }


def packed(data: bytes) -> dict[str, Any]:
    return {"body": base64.b64encode(data).decode(), "isBase64Encoded": True}


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        pytest.param("/a/01K", ("a", "01K"), id="shared"),
        pytest.param("/a/01K/n-1", ("a", "01K", "n-1"), id="personal"),
        pytest.param("/stage/x/a/01K/n-1", ("a", "01K", "n-1"), id="behind-a-prefix"),
        pytest.param("/_aws/lambda-url/abc/a/01K", ("a", "01K"), id="prefix-of-the-local-aws"),
        pytest.param("/slack", ("slack",), id="slack"),
        pytest.param("/stage/slack", ("slack",), id="slack-behind-a-prefix"),
        pytest.param("/a/01K/", ("a", "01K", ""), id="nonce-cut-off"),
        pytest.param("/a/a/a", ("a", "a"), id="all-a"),
        pytest.param("/", ("",), id="root"),
        pytest.param("", ("",), id="empty"),
        pytest.param("/b/01K/n-1", ("b", "01K", "n-1"), id="elsewhere"),
        pytest.param("/a/01%4B/n%2D1", ("a", "01K", "n-1"), id="escaped"),
    ],
)
def test_paths(path: str, segments: tuple[str, ...]) -> None:
    assert http.parse(event(path)).segments == segments


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"requestContext": None, "headers": None, "rawPath": None}, id="nulls"),
        pytest.param({"requestContext": [], "headers": "x", "rawPath": 7, "body": {}}, id="other-types"),
        pytest.param({"rawPath": "/a/%ff%fe/\ud800", "rawQueryString": "%ff=\ud800&&=;"}, id="not-unicode"),
        pytest.param({"rawPath": "/" * 100_000, "rawQueryString": "a" * 100_000}, id="long"),
        pytest.param({"headers": {"x": None, "\ud800": ["y"]}}, id="headers"),
    ],
)
def test_parse_never_raises(hostile: dict[str, Any]) -> None:
    request = http.parse(hostile)

    assert isinstance(request.method, str)
    with pytest.raises(BadRequest):
        request.form()


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(event(body="a=1", headers={}), 415, id="no-type"),
        pytest.param(event(body="{}", headers={"content-type": "application/json"}), 415, id="json"),
        pytest.param(event(body="x", headers={"content-type": "multipart/form-data; boundary=x"}), 415, id="multipart"),
        pytest.param(event(body="%%%", isBase64Encoded=True), 400, id="not-base64"),
        pytest.param(event(body="\u00fc", isBase64Encoded=True), 400, id="base64-not-ascii"),
        pytest.param(event(**packed(b"\xff\xfe=1")), 400, id="not-utf8"),
        pytest.param(event(body="reason=%ff"), 400, id="escaped-not-utf8"),
        pytest.param(event(body="reason=\ud800"), 400, id="surrogate"),
        pytest.param(event(body="decision=approve&decision=reject"), 400, id="twice"),
        pytest.param(event(body="&".join(f"f{n}=1" for n in range(33))), 400, id="many-fields"),
        pytest.param(event(body="decision"), 400, id="no-pairs"),
        pytest.param(event(body="a=" + "x" * 70_000), 413, id="long"),
        pytest.param(event(body="a=" + "x" * 300_000), 413, id="very-long"),
        pytest.param(event(**packed(b"a=" + b"x" * 70_000)), 413, id="long-packed"),
    ],
)
def test_forms_that_can_not_be_read(found: dict[str, Any], status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        http.parse(found).form()

    assert caught.value.status == status


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        pytest.param(event(body="a=1&b=&c=%C3%BC+x"), {"a": "1", "b": "", "c": "ü x"}, id="plain"),
        pytest.param(event(**packed(b"a=1")), {"a": "1"}, id="packed"),
        pytest.param(event(body=None), {}, id="no-body"),
        pytest.param(event(body=""), {}, id="empty"),
        pytest.param(
            event(body="a=1", headers={"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}),
            {"a": "1"},
            id="charset",
        ),
    ],
)
def test_forms(found: dict[str, Any], fields: dict[str, str]) -> None:
    assert http.parse(found).form() == fields


def test_every_answer_carries_the_security_headers() -> None:
    for found in (http.answer(200), http.redirect("x")):
        headers = found["headers"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in headers["content-security-policy"]
