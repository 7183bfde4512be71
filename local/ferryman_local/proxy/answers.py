"""Responses that the proxy creates: errors in the protocol of the service, and changed or stale responses."""

import json
import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from ferryman_local.proxy.identify import Call
from ferryman_local.proxy.wire import Head

type Transform = Callable[[Any], Any]

# (code, HTTP status) with which a service throttles; others answer ThrottlingException, 400.
_THROTTLES = {
    "lambda": ("TooManyRequestsException", 429),
    "s3": ("SlowDown", 503),
    "cloudformation": ("Throttling", 400),
    "iam": ("Throttling", 400),
    "sns": ("Throttling", 400),
}
# A changed body makes these wrong.
_OF_THE_BODY = ("content-length", "x-amz-crc32", "transfer-encoding")


def throttle_of(service: str) -> tuple[str, int]:
    """The error code and status of the service's own throttling."""
    return _THROTTLES.get(service, ("ThrottlingException", 400))


def error(call: Call, request: Head, *, status: int, code: str, message: str) -> bytes:
    """A complete HTTP response with an error in the format of the service."""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    if call.protocol == "query" or call.service == "s3":
        kind = "Sender" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
        inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if call.service == "s3":
            text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        elif call.service == "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            text = (
                f"<ErrorResponse><Error><Type>{kind}</Type>{inner}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        headers["Content-Type"] = "text/xml"
    else:
        text = json.dumps({"__type": code, "message": message})
        headers["Content-Type"] = request.headers.get("content-type", "application/json")
    return _response(status, headers, text.encode())


def error_code(head: Head, payload: bytes) -> str:
    """The error code of a response, or an empty string: from a header, JSON's `__type` or XML's `<Code>`."""
    if kind := head.headers.get("x-amzn-errortype"):
        return kind.partition(":")[0]
    if found := re.search(rb"<Code>(\w+)</Code>", payload):
        return found[1].decode()
    try:
        document = json.loads(payload or b"{}")
    except ValueError:
        return ""
    return str(document.get("__type", "")).rpartition("#")[2] if isinstance(document, dict) else ""


def transformed(head: Head, payload: bytes, transform: Transform) -> bytes:
    """The response with its JSON document changed; raise ValueError if it is not JSON."""
    changed = json.dumps(transform(json.loads(payload))).encode()
    lines = head.raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in _OF_THE_BODY]
    return "\r\n".join([*kept, f"Content-Length: {len(changed)}", "", ""]).encode("latin-1") + changed


def _response(status: int, headers: dict[str, str], payload: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(payload))}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + payload
