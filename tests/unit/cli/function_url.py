"""A function URL on loopback: the real API, signatures that are checked, faults on demand."""

import json
import re
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session
from typer.testing import Result

from ferryman import ids
from ferryman.api.callers import Callers
from ferryman.api.serve_api import serve
from ferryman.proofs import audience
from unit.api_world import JO, World, event
from unit.fakes.sts import FakeSts

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:ferryman-ServeApi"
HOST = "abc123.lambda-url.eu-west-1.on.aws"


class Server(HTTPServer):
    """A function URL: checks that a request is signed for its host, then has the real API answer it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: list[int | str] = []
        """Statuses to answer first, or `drop` to close the connection after the work was done."""
        self.before: list[Callable[[], None]] = []
        """What happens before the next looks at a deployment, one each."""
        self.ahead = 0.0
        """Seconds by which its clock is ahead of the command's."""
        self.canned: dict[str, dict[str, Any]] = {}
        """`METHOD /path` → what is answered instead of what the API says."""
        self.stacks: dict[str, dict[str, str]] = {}
        """CloudFormation stacks and their outputs."""
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.sts = FakeSts({"AKIDEXAMPLE": JO})
        self.callers = Callers(audience=audience(FUNCTION), store=world.store, clock=ids.now, ask=self.sts.ask)
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if b"Action=DescribeStacks" in body:
            return self._cloudformation(dict(parse_qsl(body.decode()))["StackName"])
        self.server.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if isinstance(fault, int):
            return self._send(fault, b'{"Message": "no"}')
        if "/deployments/" in self.path and self.server.before:
            self.server.before.pop(0)()
        parts = urlsplit(self.path)
        canned = self.server.canned.get(f"{self.command} {parts.path}")
        if canned is not None:
            return self._send(200, json.dumps(canned).encode())
        if not self._signed(body):
            return self._send(403, b'{"Message": "Forbidden"}')
        made = event(self.command, parts.path, body=body, who=None)
        made |= {"rawQueryString": parts.query, "headers": dict(self.headers.items())}
        answer = serve(made, self.server.world.operator, self.server.world.log, self.server.callers.prove)
        if fault == "drop":
            self.close_connection = True
            return None
        return self._send(answer["statusCode"], answer["body"].encode())

    def _cloudformation(self, name: str) -> None:
        outputs = self.server.stacks.get(name)
        if outputs is None:
            told = f"<Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
            return self._send(400, f"<ErrorResponse><Error>{told}</Error></ErrorResponse>".encode())
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in outputs.items()
        )
        stacks = f"<Stacks><member><StackName>{name}</StackName><Outputs>{members}</Outputs></member></Stacks>"
        result = f"<DescribeStacksResult>{stacks}</DescribeStacksResult>"
        return self._send(200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>".encode())

    def _signed(self, body: bytes) -> bool:
        """Sign what arrived, for the host that it names, and compare, as AWS does."""
        if self.headers["host"] != HOST or "x-amz-date" not in self.headers:
            return False
        credentials = Session().get_credentials()
        assert credentials is not None
        signer = SigV4Auth(credentials, "lambda", "eu-west-1")
        _, _, names = self.headers["authorization"].partition("SignedHeaders=")
        headers = {name: self.headers[name] for name in names.partition(",")[0].split(";")}
        request = AWSRequest(method=self.command, url=f"https://{HOST}{self.path}", data=body, headers=headers)
        request.context["timestamp"] = self.headers["x-amz-date"]
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return self.headers["authorization"].endswith(f"Signature={signer.signature(text, request)}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header `date`, by the server's clock."""
        return super().date_time_string((timestamp or time.time()) + self.server.ahead)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent."""

    do_GET = do_PUT = do_POST = _answer  # noqa: N815


Run = Callable[..., Result]


def ageless(text: str) -> str:
    """Blank out ages, which depend on the day."""
    return re.sub(r"\b\d+d\b", "AGE", text)
