"""One local AWS for all tests of this folder, and what most of them need in it."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.provisioning import ensure

TOKEN_SCALE = 0.02
"""A token's 60 seconds are 1.2 here."""

EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("aws"), token_timeout_scale=TOKEN_SCALE) as started:
        yield started


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Callable[[str], Any]:
    """`aws("ecs")` is a client, made once."""
    session, clients = emulator.session(), {}

    def client(name: str) -> Any:
        return clients.setdefault(name, None) or clients.__setitem__(name, session.client(name)) or clients[name]

    return client


@pytest.fixture(scope="session")
def role(aws: Callable[[str], Any]) -> str:
    """A role that Lambda and Step Functions may assume and that may do everything."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            }
        ],
    }
    arn: str = aws("iam").create_role(RoleName="tests", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws("iam").put_role_policy(RoleName="tests", PolicyName="everything", PolicyDocument=EVERYTHING)
    return arn


@pytest.fixture(scope="session")
def function(aws: Callable[[str], Any], role: str) -> Callable[..., str]:
    """Create a function from source; its name."""

    def create(source: str, *, timeout: int = 5, **environment: str) -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", source)
        name = f"f-{uuid4().hex[:8]}"
        aws("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Timeout=timeout,
            Code={"ZipFile": buffer.getvalue()},
            Environment={"Variables": environment},
        )
        return name

    return create


@pytest.fixture(scope="session")
def invoke(aws: Callable[[str], Any]) -> Callable[..., Any]:
    """Invoke a function; its answer, or its error's body."""

    def call(name: str, event: Any = None) -> Any:
        return json.loads(aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))["Payload"].read())

    return call


@pytest.fixture
def control(emulator: Emulator) -> Iterator[httpx.Client]:
    """The control endpoint; faults are gone after the test."""
    with httpx.Client(base_url=f"{emulator.endpoint}/_ferryman", trust_env=False, timeout=10) as client:
        yield client
        client.delete("/lambda-faults")


@pytest.fixture(scope="session")
def cluster(emulator: Emulator) -> str:
    ensure.cluster(emulator.session(), "tests")
    return "tests"


@pytest.fixture
def image_files(tmp_path: Path) -> Callable[[str], Path]:
    """A folder that holds main.py with this source."""

    def write(source: str) -> Path:
        folder = tmp_path / uuid4().hex[:8]
        folder.mkdir()
        (folder / "main.py").write_text(source)
        return folder

    return write
