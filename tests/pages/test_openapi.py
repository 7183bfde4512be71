"""The description of the public endpoint is true, and fuzzing along it finds no 5xx and no unexpected acceptance."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pages import asking
from pages.loopback import PREFIX, Server, serving
from pages.site_world import Site, pressed

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi" / "approvals.v1.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
RIGHT = {"approval": asking.ID, "nonce": asking.ADA_NONCE}
FUZZ = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def server(crowded: Site) -> Iterator[Server]:
    with serving(crowded) as found:
        yield found


def label(operation: APIOperation) -> str:
    return f"{operation.method.upper()} {operation.path}"


def undecided(site: Site) -> bool:
    return site.approval.decisions == [] and site.nudged == []


def ways() -> Iterator[Any]:
    """Each operation with guessed and with right paths, along its description and against it, where that can be."""
    for operation in OPERATIONS:
        for right in (False, True):
            for mode in GenerationMode:
                names = _path(operation) if right else {}
                can_be_wrong = (
                    operation.query or operation.headers or operation.body or (not right and _path(operation))
                )
                if (right and not names) or (mode is GenerationMode.NEGATIVE and not can_be_wrong):
                    continue
                name = f"{label(operation)}-{'right-link' if right else 'guessed'}-{mode.value}"
                yield pytest.param(operation, names, mode, id=name)


def _path(operation: APIOperation) -> dict[str, str]:
    return {name: value for name, value in RIGHT.items() if f"{{{name}}}" in operation.path}


@pytest.mark.parametrize(("operation", "path", "mode"), list(ways()))
def test_fuzzing(server: Server, operation: APIOperation, path: dict[str, str], mode: GenerationMode) -> None:
    accepted = set()

    @FUZZ
    @given(data=st.data())
    def fuzz(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=path or None))
        response = case.call(base_url=server.address + PREFIX)
        case.validate_response(response, checks=CHECKS)
        accepted.add(response.status_code)

    fuzz()

    assert undecided(server.site)
    if operation.method == "post" and not (path and operation.path == "/a/{approval}"):
        # Only the question for a link may be taken from whoever asks; its answer says nothing.
        assert min(accepted) >= 400


@pytest.mark.parametrize("unverified", [False, True], ids=["personal-only", "unverified-allowed"])
def test_fuzzing_of_what_slack_signs(crowded: Site, unverified: bool) -> None:
    text = st.text(max_size=40)
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=8,
    )
    names = list(pressed())

    @FUZZ
    @given(whole=anything, parts=st.dictionaries(st.sampled_from(names), anything, min_size=1))
    def fuzz(whole: Any, parts: dict[str, Any]) -> None:
        for payload in (whole, pressed(user="U0EVE") | parts):
            answer = crowded.press(payload)
            assert answer.status in (200, 400)
            assert answer.body == "" or json.loads(answer.body)

    fuzz()

    assert undecided(crowded)


def test_the_methods_are_those_of_the_description(site: Site) -> None:
    for path, operations in DOCUMENT["paths"].items():
        address = path.format(**RIGHT)
        described = {name.upper() for name in operations} - {"PARAMETERS"}
        assert set(site.ask("OPTIONS", address).headers["allow"].split(", ")) == described
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
            assert (site.ask(method, address).status == 405) == (method not in described), (method, path)


def test_a_right_form_is_taken_as_described(server: Server) -> None:
    """The one thing that has to be accepted, so that the fuzzing above is not true of a closed door."""
    operation = next(one for one in OPERATIONS if label(one) == "POST /a/{approval}/{nonce}")
    case = operation.Case(
        path_parameters=RIGHT,
        body={"decision": "approve", "version": asking.SHORT, "reason": ""},
        media_type="application/x-www-form-urlencoded",
    )

    response = case.call(base_url=server.address + PREFIX, allow_redirects=False)

    case.validate_response(response, checks=CHECKS)
    assert response.status_code == 303
    assert server.site.approval.status == "Approved"
