"""Lambda on the local AWS behaves as on AWS where the flow depends on it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from ferryman_local.emulator import Emulator
from local.clock import until

FAILING = """
import os
calls = 0
class ReleaseIsBad(Exception): pass
def handler(event, context):
    global calls
    calls += 1
    if event.get("fail"):
        raise ReleaseIsBad("it does not start")
    if event.get("die"):
        os._exit(1)
    return {"calls": calls}
"""


def test_an_exception_is_reported_by_its_class_name(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    answer = invoke(function(FAILING), {"fail": True})
    assert answer["errorType"] == "ReleaseIsBad"
    assert answer["errorMessage"] == "it does not start"
    assert answer["stackTrace"]


def test_the_process_survives_an_exception(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    name = function(FAILING)
    invoke(name, {"fail": True})
    assert invoke(name) == {"calls": 2}


def test_a_process_that_ends_is_a_runtime_exit(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    name = function(FAILING)
    assert invoke(name, {"die": True})["errorType"] == "Runtime.ExitError"
    assert invoke(name) == {"calls": 1}


def test_a_module_that_cannot_be_imported(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    answer = invoke(function("import nothing_like_this\ndef handler(event, context): ..."))
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "nothing_like_this" in answer["errorMessage"]


def test_an_answer_that_is_not_json(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    assert invoke(function("def handler(event, context): return {1, 2}"))["errorType"] == "Runtime.MarshalError"


def test_a_timeout(function: Callable[..., str], invoke: Callable[..., Any]) -> None:
    answer = invoke(function("import time\ndef handler(event, context): time.sleep(30)", timeout=1))
    assert answer == {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 1.00 seconds"}


def test_a_function_sees_aws_runtime_packages_and_not_the_developers(
    function: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    source = """
import importlib.util, os
def handler(event, context):
    return {name: importlib.util.find_spec(name) is not None for name in ("boto3", "pytest", "httpx", "ministack")} | {
        "endpoint": os.environ["AWS_ENDPOINT_URL"], "remaining": context.get_remaining_time_in_millis()}
"""
    answer = invoke(function(source))
    assert answer.pop("endpoint").startswith("http://127.0.0.1:")
    assert 0 < answer.pop("remaining") <= 5000
    assert answer == {"boto3": True, "pytest": False, "httpx": False, "ministack": False}


def test_a_function_url_tells_who_called(
    emulator: Emulator, aws: Callable[[str], Any], function: Callable[..., str]
) -> None:
    name = function(
        "import json\ndef handler(event, context): return {'statusCode': 200, 'body': "
        "json.dumps(event['requestContext'].get('authorizer'))}"
    )
    url = aws("lambda").create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    aws("iam").create_user(UserName="ann")
    aws("iam").put_user_policy(
        UserName="ann",
        PolicyName="call",
        PolicyDocument=(
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunctionUrl","Resource":"*"}]}'
        ),
    )
    key = aws("iam").create_access_key(UserName="ann")["AccessKey"]
    host = httpx.URL(url).host
    request = AWSRequest("GET", f"http://{host}/", headers={"Host": host})
    credentials = emulator.session(key["AccessKeyId"], key["SecretAccessKey"]).get_credentials()
    SigV4Auth(credentials, "lambda", emulator.region).add_auth(request)
    answer = httpx.get(emulator.endpoint, headers=dict(request.headers), trust_env=False)
    assert answer.status_code == 200
    caller = answer.json()["iam"]
    assert caller["userArn"] == f"arn:aws:iam::{emulator.account}:user/ann"
    assert {"accessKey", "accountId", "callerId", "userId"} <= caller.keys()
    assert httpx.get(emulator.endpoint, headers={"Host": host}, trust_env=False).status_code == 403


def test_faults_before_and_after_the_handler(
    control: httpx.Client, function: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = function(FAILING)
    control.post("/lambda-faults", json={"function": name, "when": "before", "error": "TransientError"})
    assert invoke(name)["errorType"] == "TransientError"
    control.post("/lambda-faults", json={"function": name, "when": "after", "timeout": True})
    assert invoke(name)["errorType"] == "Sandbox.Timedout"
    assert invoke(name) == {"calls": 2}, "the handler ran once behind the second fault and not behind the first"


def test_a_fault_for_certain_events_only(
    control: httpx.Client, function: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = function(FAILING)
    control.post("/lambda-faults", json={"function": name, "match": "second", "times": 1})
    assert invoke(name, {"name": "first"}) == {"calls": 1}
    assert "errorType" in invoke(name, {"name": "second"})


def test_a_fault_that_makes_no_sense_is_refused(control: httpx.Client) -> None:
    answer = control.post("/lambda-faults", json={"function": "x", "when": "during"})
    assert answer.status_code == 400
    assert "before" in answer.json()["message"]


def test_invocations_are_counted(
    control: httpx.Client, function: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = function(FAILING)
    invoke(name)
    invoke(name, {"fail": True})
    row = control.get("/counters").json()["lambda"][name]
    assert (row["invocations"], row["errors"], row["coldStarts"]) == (2, 1, 1)


def test_the_endpoint_that_functions_see_can_change(
    emulator: Emulator, control: httpx.Client, function: Callable[..., str], invoke: Callable[..., Any]
) -> None:
    name = function("import os\ndef handler(event, context): return os.environ['AWS_ENDPOINT_URL']")
    assert invoke(name) == emulator.endpoint
    control.put("/lambda-endpoint", json={"url": "http://127.0.0.1:1"})
    try:
        assert invoke(name) == "http://127.0.0.1:1"
    finally:
        control.put("/lambda-endpoint", json={"url": None})


def test_an_update_lets_a_running_invocation_finish_with_the_old_version(
    aws: Callable[[str], Any], function: Callable[..., str], invoke: Callable[..., Any], tmp_path: Path
) -> None:
    began, go_on = tmp_path / "began", tmp_path / "go-on"
    source = """
import os, pathlib, time
def handler(event, context):
    if event:
        pathlib.Path(event["began"]).touch()
        while not pathlib.Path(event["goOn"]).exists():
            time.sleep(0.01)
    return {"is": os.environ["IS"], "process": os.getpid()}
"""
    name = function(source, timeout=60, IS="old")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(invoke, name, {"began": str(began), "goOn": str(go_on)})
        until(began.exists, "the invocation to begin")
        aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"IS": "new"}})
        meanwhile = invoke(name)
        go_on.touch()
        ended = running.result()
    assert (ended["is"], meanwhile["is"]) == ("old", "new")
    assert invoke(name) == meanwhile
    until(lambda: not Path(f"/proc/{ended['process']}").exists(), "the outdated process to end")
