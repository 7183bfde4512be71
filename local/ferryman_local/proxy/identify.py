"""Which AWS action an HTTP request is: from its target header, its query protocol, or its path."""

import functools
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.loaders import Loader

from ferryman_local.proxy.wire import Head

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_REST_MODELS = {"lambda": "lambda", "scheduler": "scheduler", "ses": "sesv2"}  # by signing name
_TARGETS = {  # for unsigned requests: how the target header's prefix begins
    "AmazonEC2ContainerService": "ecs",
    "AmazonEC2ContainerRegistry": "ecr",
    "DynamoDB": "dynamodb",
    "AWSStepFunctions": "states",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
    "AmazonSQS": "sqs",
    "Logs": "logs",
    "secretsmanager": "secretsmanager",
}


@dataclass(frozen=True)
class Call:
    """The AWS service and action of a request. `service` is its signing name, in lower case."""

    service: str
    action: str
    protocol: str  # json, query, rest, none
    arguments: dict[str, Any]
    access_key: str = ""


def identify(head: Head, payload: bytes) -> Call:
    """Return the call of a request; service `http` and the method if it is not an AWS call."""
    method, target_url = head.start[0], head.start[1]
    parts = urlsplit(target_url)
    signed = _CREDENTIAL.search(head.headers.get("authorization", "") or unquote(parts.query))
    access_key, service = (signed[1], signed[2].lower()) if signed else ("", "")
    if ".lambda-url." in head.headers.get("host", "") or parts.path.startswith("/_aws/lambda-url/"):
        return Call("lambda-url", method, "none", {}, access_key)
    if parts.path.startswith("/v2/") and service != "ses":
        return Call("registry", method, "none", {}, access_key)
    if target := head.headers.get("x-amz-target"):
        prefix, _, action = target.rpartition(".")
        service = service or next((name for start, name in _TARGETS.items() if prefix.startswith(start)), prefix)
        return Call(service, action, "json", _document(payload), access_key)
    form = _form(head, parts.query, payload)
    if "Action" in form:
        return Call(service, form["Action"], "query", form, access_key)
    if service in _REST_MODELS:
        return Call(service, _rest_action(service, method, parts.path), "rest", _document(payload), access_key)
    return Call(service or "http", method, "rest" if service else "none", {}, access_key)


def _document(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _form(head: Head, query: str, payload: bytes) -> dict[str, str]:
    text = query
    if head.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        text += "&" + payload.decode(errors="replace")
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _rest_action(service: str, method: str, path: str) -> str:
    for verb, pattern, action in _routes(service):
        if verb == method and pattern.fullmatch(path):
            return action
    return method


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """botocore's own routes of a REST service, the most literal first."""
    model = Loader().load_service_model(_REST_MODELS[service], "service-2")
    routes = []
    for action, operation in model["operations"].items():
        uri = operation["http"]["requestUri"].partition("?")[0]
        literal = len(re.sub(r"{[^}]*}", "", uri))
        names = re.split(r"({[^}]*})", uri.rstrip("/"))
        pattern = "".join("[^/]+" if name.startswith("{") else re.escape(name) for name in names)
        routes.append((-literal, operation["http"]["method"], re.compile(pattern + "/?"), action))
    return [(verb, pattern, action) for _, verb, pattern, action in sorted(routes, key=lambda route: route[0])]
