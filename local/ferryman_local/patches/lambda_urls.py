"""Corrections of the emulator's Lambda: function URLs.

A public URL (AuthType NONE) gets an address that every client on this machine can open as it is. One with AuthType
AWS_IAM keeps AWS's host name, which its callers sign.

Sources: the Lambda Developer Guide ("Invoking Lambda function URLs") and the
template reference of AWS::Lambda::Function.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from ferryman_local.patches.private_attributes import module, replace

PREFIX = "/_aws/lambda-url/"


def apply() -> None:
    """Put every correction of this file in place."""
    service, app = module("services.lambda_svc"), module("app")
    replace(service, "_function_url_id", function_url_id)
    replace(service, "_build_function_url_event", build_event)
    replace(service, "_create_function_url_config", create_function_url_config)
    replace(app, "_handle_options_request", handle_options_request)


def create_function_url_config(original: Any) -> Any:
    """On AWS a function URL can be opened as it is. Here a public one is `http://127.0.0.1:PORT/_aws/lambda-url/<id>/`.

    So it needs neither a name server nor a certificate.
    """

    def create(function: str, data: dict[str, Any], qualifier: str | None) -> Any:
        status, headers, body = original(function, data, qualifier)
        if status >= 300 or data.get("AuthType") != "NONE":
            return status, headers, body
        service = module("services.lambda_svc")
        key = service._url_config_key(function, qualifier)
        found = service._function_urls[key]
        address = (
            f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{PREFIX}{service._function_url_id(found['FunctionUrl'])}/"
        )
        found["FunctionUrl"] = address
        return status, headers, json.dumps({**json.loads(body), "FunctionUrl": address}).encode()

    return create


def function_url_id(original: Any) -> Any:
    """The id of a function URL: in the path of a public one, in the host name of the others."""

    def identify(url: str) -> str:
        _, found, rest = url.partition(PREFIX)
        return rest.split("/", 1)[0] if found else str(original(url))

    return identify


def handle_options_request(original: Any) -> Any:
    """A function URL without a CORS configuration invokes its function for OPTIONS, as for every other method."""

    def handle(method: str, path: str, headers: Mapping[str, str], query: Any, request_id: str) -> Any:
        if path.startswith(PREFIX) or ".lambda-url." in headers.get("host", ""):
            return None
        return original(method, path, headers, query, request_id)

    return handle


def build_event(original: Any) -> Any:
    """The event has the caller in requestContext.authorizer.iam (AWS_IAM only), and cookies as a list.

    The header `host` is the one that the client addressed. The format of the event is payload format 2.0.
    """
    evaluator, router = module("core.iam_evaluator"), module("core.router")

    def build(
        url_id: str,
        account_id: str,
        region: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, list[str]],
        **rest: Any,
    ) -> dict[str, Any]:
        event: dict[str, Any] = original(url_id, account_id, region, method, path, headers, body, query_params, **rest)
        if cookie := event["headers"].pop("cookie", None):
            event["cookies"] = [part.strip() for part in cookie.split(";") if part.strip()]
        if rest.get("anonymous"):
            # The approval page compares it with the header `origin`, in which a browser sends the page's address.
            host = headers.get("host", "")
            if ".lambda-url." not in host:
                event["headers"].update({"host": host, "x-forwarded-proto": "http"})
            return event
        caller = evaluator.resolve_caller_identity(router.extract_access_key_id(headers, query_params))
        if caller:
            event["requestContext"]["authorizer"] = {
                "iam": {
                    "accessKey": caller["accessKey"],
                    "accountId": caller["accountId"],
                    "callerId": caller["userId"],
                    "cognitoIdentity": None,
                    "principalOrgId": caller.get("principalOrgId"),
                    "userArn": caller["userArn"],
                    "userId": caller["userId"],
                }
            }
        return event

    return build
