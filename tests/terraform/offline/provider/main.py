"""Offline, schema-only stand-in for the Terraform provider hashicorp/aws. Creates nothing, contacts nothing."""

import json
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

import checks
import policy
import replaces
import values
from wire import MSG, UNKNOWN, Schemas, decode, encode, error, is_unknown, schema_response

COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"  # go-plugin's, the same for every provider
ARN_PARTS = ("partition", "service", "region", "account_id", "resource")
FUNCTIONS: dict[str, tuple[tuple[str, ...], Any]] = {  # name: (parameters, result type)
    "arn_build": (ARN_PARTS, "string"),
    "arn_parse": (("arn",), ["object", dict.fromkeys(ARN_PARTS, "string")]),
    "trim_iam_role_path": (("arn",), "string"),
    "user_agent": (("product_name", "product_version", "comment"), "string"),
}

# Of regions that begin so: partition and domain.
PARTITIONS = {"cn": ("aws-cn", "amazonaws.com.cn"), "us-gov": ("aws-us-gov", "amazonaws.com")}

# What a response message is made of, or the message, encoded.
Result = Mapping[str, Any] | bytes


class Stub:
    """The provider: a method for each call of Terraform's plugin protocol 6, named in snake_case."""

    def __init__(self) -> None:
        self.schemas = Schemas()
        self.provider = provider_facts({})

    def block(self, kind: str, type_name: str) -> Any:
        """The schema of a type; the kinds are those of extract.py."""
        return self.schemas.block(f"{kind}/{type_name}")

    def get_provider_schema(self, req: Any) -> Result:
        return schema_response(self.schemas, self.functions())

    def get_functions(self, req: Any) -> Result:
        return {"functions": self.functions()}

    def functions(self) -> Iterator[Any]:
        """The provider's functions, as messages."""
        for name, (params, result) in FUNCTIONS.items():
            f = MSG["Function"](return_=MSG["Return"](type=json.dumps(result).encode()))
            f.parameters.extend(MSG["Parameter"](name=p, type=b'"string"') for p in params)
            yield MSG["FunctionEntry"](key=name, value=f)

    def call_function(self, req: Any) -> Result:
        args = [decode(a) for a in req.arguments]
        if req.name == "arn_build":
            return {"result": encode("arn:" + ":".join(args))}
        if req.name == "user_agent":
            return {"result": encode(f"{args[0]}/{args[1]}" + (f" ({args[2]})" if args[2] else ""))}
        parts = args[0].split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":
            return {"error": MSG["FunctionError"](text=f"invalid ARN: {args[0]}")}
        if req.name == "trim_iam_role_path":
            return {"result": encode(re.sub(r":role/.*/", ":role/", args[0]))}
        return {"result": encode(dict(zip(ARN_PARTS, parts[1:], strict=True)))}

    def validate_provider_config(self, req: Any) -> Result:
        return {}

    def validate(self, kind: str, req: Any) -> Result:
        """Diagnostics of what the schema alone does not tell."""
        found = checks.problems(req.type_name, self.block(kind, req.type_name), decode(req.config))
        return {"diagnostics": [error(*p) for p in found]}

    def validate_resource_config(self, req: Any) -> Result:
        return self.validate("resources", req)

    def validate_data_resource_config(self, req: Any) -> Result:
        return self.validate("data_sources", req)

    def validate_ephemeral_resource_config(self, req: Any) -> Result:
        return self.validate("ephemeral", req)

    def configure_provider(self, req: Any) -> Result:
        self.provider = provider_facts(decode(req.config) or {})
        return {}

    def upgrade_resource_state(self, req: Any) -> Result:
        state = json.loads(req.raw_state.json)
        block = self.block("resources", req.type_name)
        return {"upgraded_state": encode(values.walk(block, state, lambda n, f, t, v: v))}

    def read_resource(self, req: Any) -> Result:
        return {"new_state": req.current_state, "private": req.private}

    def plan_resource_change(self, req: Any) -> Result:
        prior, planned, config = decode(req.prior_state), decode(req.proposed_new_state), decode(req.config)
        if planned is not None:
            planned = values.plan(
                req.type_name, self.block("resources", req.type_name), prior, planned, config, self.provider
            )
        replacing = (
            replaces.replaced(req.type_name, prior, planned) if prior is not None and planned is not None else []
        )
        return {
            "planned_state": encode(planned),
            "planned_private": req.prior_private,
            "requires_replace": [MSG["AttributePath"](steps=[MSG["Step"](attribute_name=name)]) for name in replacing],
        }

    def apply_resource_change(self, req: Any) -> Result:
        state = decode(req.planned_state)
        if state is not None:
            state = values.apply(req.type_name, self.block("resources", req.type_name), state, self.provider)
        return {"new_state": encode(state), "private": req.planned_private}

    def import_resource_state(self, req: Any) -> Result:
        state = values.imported(req.type_name, self.block("resources", req.type_name), req.id, self.provider)
        return {"imported_resources": [MSG["ImportedResource"](type_name=req.type_name, state=encode(state))]}

    def read_data_source(self, req: Any) -> Result:
        try:
            state = values.read_data(
                req.type_name, self.block("data_sources", req.type_name), decode(req.config), self.provider
            )
        except policy.PolicyError as e:
            return {"diagnostics": [error(f"writing IAM Policy Document: {e}")]}
        return {"state": encode(state)}

    def open_ephemeral_resource(self, req: Any) -> Result:
        state = values.read_data(
            req.type_name, self.block("ephemeral", req.type_name), decode(req.config), self.provider
        )
        return {"result": encode(state)}

    def renew_ephemeral_resource(self, req: Any) -> Result:
        return {}

    def close_ephemeral_resource(self, req: Any) -> Result:
        return {}

    def stop_provider(self, req: Any) -> Result:
        return {}


def provider_facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """Region, account and tags that the provider block asks for; made up where it does not say."""

    def known(v: Any) -> Any:
        return None if is_unknown(v) else v

    region = (
        known(config.get("region"))
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or "us-east-1"
    )
    roles = [known(r.get("role_arn")) for r in known(config.get("assume_role")) or []]
    accounts = [role.split(":")[4] for role in roles if role and role.count(":") >= 5]
    accounts += known(config.get("allowed_account_ids")) or []
    partition, suffix = PARTITIONS.get(region.rsplit("-", 2)[0], ("aws", "amazonaws.com"))
    tags = known(config.get("default_tags"))
    tags = UNKNOWN if tags is None and config.get("default_tags") is not None else (tags or [{}])[0].get("tags")
    if isinstance(tags, dict) and any(map(is_unknown, tags.values())):
        tags = UNKNOWN
    account = next((a for a in accounts if not is_unknown(a)), os.environ.get("TF_OFFLINE_ACCOUNT", "123456789012"))
    return {"region": region, "account": account, "partition": partition, "suffix": suffix, "default_tags": tags}


class Handler(grpc.GenericRpcHandler):
    """Leads calls of Terraform to the stand-in; go-plugin's own "Shutdown" ends it."""

    def __init__(self, stub: Stub, stop: threading.Event) -> None:
        self.stub, self.stop = stub, stop

    def shut_down(self, _request: bytes, _context: Any) -> bytes:
        """End the stand-in."""
        self.stop.set()
        return b""

    def service(self, call: Any) -> Any:
        """What handles a call, or None for one that the stand-in hasn't."""
        service, method = call.method.strip("/").split("/")
        if service == "plugin.GRPCController" and method == "Shutdown":
            return grpc.unary_unary_rpc_method_handler(self.shut_down)
        answer = getattr(self.stub, re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower(), None)
        if service != "tfplugin6.Provider" or answer is None:
            return None
        request = MSG.get(f"{method}Request", MSG["Empty"])

        def handle(raw: bytes, _context: Any) -> Any:
            result = answer(request.FromString(raw))
            return result if isinstance(result, bytes) else MSG[f"{method}Response"](**result).SerializeToString()

        return grpc.unary_unary_rpc_method_handler(handle)


def main() -> None:
    """Serve until Terraform says "Shutdown" or is gone."""
    if os.environ.get("TF_PLUGIN_MAGIC_COOKIE") != COOKIE:
        sys.exit("This is a Terraform provider plugin; Terraform starts it. Use bin/terraform-offline.")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted Terraform ends its plugins itself
    stop = threading.Event()
    server = grpc.server(
        ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    )
    server.add_generic_rpc_handlers((Handler(Stub(), stop),))
    with tempfile.TemporaryDirectory(prefix="tfoff") as folder:
        socket = Path(folder) / "s"
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        print(f"1|6|unix|{socket}|grpc|", flush=True)
        parent = os.getppid()
        while not stop.wait(5) and os.getppid() == parent:  # ends with Terraform, too
            pass
        server.stop(0.05).wait()
    os._exit(0)  # no interpreter teardown: Terraform waits for this


if __name__ == "__main__":
    main()
