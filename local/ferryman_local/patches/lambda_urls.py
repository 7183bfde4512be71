"""Corrections of the emulator's function URLs. Applied by patches.apply before the emulator serves.

A public one (AuthType NONE) gets an address that every client on this machine can open as it is; an AWS_IAM one keeps
AWS's host name, which is what its callers sign.
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
    replace(service, "_function_url_id", ids_of_both_addresses)
    replace(service, "_build_function_url_event", events_like_aws)
    replace(service, "_create_function_url_config", public_ones_can_be_opened)
    replace(app, "_handle_options_request", options_are_the_functions)
    keep_reserved_concurrency(service)


def public_ones_can_be_opened(original: Any) -> Any:
    """A public URL is `http://127.0.0.1:PORT/_aws/lambda-url/<id>/`: neither name servers nor certificates needed."""

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


def ids_of_both_addresses(original: Any) -> Any:
    """The id stands in the path of a public URL, and in the host name of the others."""

    def identify(url: str) -> str:
        _, found, rest = url.partition(PREFIX)
        return rest.split("/", 1)[0] if found else str(original(url))

    return identify


def options_are_the_functions(original: Any) -> Any:
    """A function URL without a CORS configuration hands OPTIONS to its function, as it does every method."""

    def handle(method: str, path: str, headers: Mapping[str, str], query: Any, request_id: str) -> Any:
        if path.startswith(PREFIX) or ".lambda-url." in headers.get("host", ""):
            return None
        return original(method, path, headers, query, request_id)

    return handle


def events_like_aws(original: Any) -> Any:
    """An AWS_IAM URL tells who called; cookies come as a list; the host is the one that the client addressed."""
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
            # What the browser compares with its address bar when it sends Origin.
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


def keep_reserved_concurrency(service: Any) -> None:
    """CloudFormation reserves a function's concurrency; more requests at a time are turned away with 429."""
    handlers = module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = handlers["create"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        answer = create(logical_id, props, stack_name)
        if (reserved := props.get("ReservedConcurrentExecutions")) is not None:
            service._functions[answer[0]]["concurrency"] = int(reserved)
        return answer

    handlers["create"] = created
