"""Finding the operator, getting through to it, and what is said when that fails."""

from typing import Any

import pytest
from botocore.credentials import Credentials

from ferryman.clients.sts import Unconfirmed
from ferryman_cli.prover import Prover
from ferryman_cli.transport import Api
from unit.api_world import World
from unit.cli.function_url import FUNCTION, HOST, Run, Server


def credentials() -> Credentials:
    return Credentials("AKIDEXAMPLE", "secret-of-AKIDEXAMPLE")


@pytest.fixture
def stacks(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """The CloudFormation stacks there are; the command has to find the API by one of them."""
    monkeypatch.delenv("FERRYMAN_API_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", server.address)
    return server.stacks


class TestFinding:
    @pytest.mark.parametrize("name", ["ferryman", "mine"])
    def test_by_the_stack(self, run: Run, stacks: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        stacks[name] = {"Other": "x", "ApiUrl": f"https://{HOST}/", "ApiFunctionArn": FUNCTION}
        monkeypatch.setenv("FERRYMAN_STACK", name)

        result = run("status")

        assert (result.exit_code, result.stderr.startswith("No platform has been applied yet")) == (0, True)

    def test_no_stack_says_how_to_get_one(self, run: Run, stacks: dict[str, Any]) -> None:
        result = run("status")

        assert result.exit_code == 3
        assert "CloudFormation stack ferryman does not exist in eu-west-1. Install the operator with" in result.stderr

    def test_another_stack(self, run: Run, stacks: dict[str, Any]) -> None:
        stacks["ferryman"] = {}

        result = run("status")

        assert (result.exit_code, "has no output ApiUrl" in result.stderr) == (3, True)

    def test_no_credentials_says_how_to_get_some(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)

        result = run("status")

        assert (result.exit_code, "aws sso login" in result.stderr) == (3, True)

    def test_an_unknown_profile(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "nope")

        assert run("status").exit_code == 3

    def test_no_region(self, run: Run, stacks: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")

        result = run("status")

        assert (result.exit_code, "set AWS_REGION" in result.stderr) == (3, True)

    @pytest.mark.parametrize("url", ["nonsense", "ftp://x/", "https://"])
    def test_an_address_that_is_none(self, run: Run, url: str) -> None:
        result = run("status", "--api-url", url)

        assert (result.exit_code, "is not the URL of an API" in result.stderr) == (2, True)


class TestGettingThrough:
    def test_signs_for_the_real_host_and_connects_elsewhere(self, run: Run, server: Server) -> None:
        assert run("status").exit_code == 0  # the server checks the signature over host, path, query and body

        _, path, headers, _ = server.seen[0]
        assert (path, headers["host"]) == ("/v1/platforms", "abc123.lambda-url.eu-west-1.on.aws")

    def test_sends_the_session_token(self, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
        run("status")

        assert server.seen[0][2]["x-amz-security-token"] == "token"

    def test_without_a_detour(self, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FERRYMAN_API_CONNECT")
        run("status", "--api-url", server.address)

        assert server.seen[0][2]["host"] == server.address.removeprefix("http://")

    @pytest.mark.parametrize("faults", [[500], [503, 429], ["drop"], [502, "drop", 504]])
    def test_reads_are_tried_again(self, run: Run, server: Server, faults: list[Any]) -> None:
        server.faults = list(faults)

        assert run("status").exit_code == 0
        assert len(server.seen) == len(faults) + 1

    def test_but_not_for_ever(self, run: Run, server: Server) -> None:
        server.faults = [500] * 9

        result = run("status")

        assert (result.exit_code, len(server.seen), "HTTP 500" in result.stderr) == (3, 4, True)

    def test_not_let_through(self, run: Run, server: Server) -> None:
        server.faults = [403]

        result = run("status")

        assert (result.exit_code, "lambda:InvokeFunctionUrl" in result.stderr, len(server.seen)) == (3, True, 1)

    @pytest.mark.parametrize(("ahead", "said"), [(600, "10 minutes behind"), (-900, "15 minutes ahead of")])
    def test_a_clock_that_is_off_is_told(self, run: Run, server: Server, ahead: float, said: str) -> None:
        server.faults, server.ahead = [403], ahead

        result = run("status")

        assert (result.exit_code, f"the clock of this machine is {said} AWS's" in result.stderr) == (3, True)

    def test_every_try_of_a_change_is_signed_anew(self, run: Run, server: Server) -> None:
        """The operator carries a signed request out once; a try whose answer was lost may have been carried out."""
        server.canned["POST /v1/platforms/scr/environments/staging/hold"] = {"message": "on hold"}
        server.faults = [503]
        run("hold", "staging", "-p", "scr", "--reason", "x")

        first, second = (headers["x-ferryman-proof"] for method, _, headers, _ in server.seen if method == "POST")
        assert first != second

    def test_without_the_function_it_is_told_how_to_name_it(
        self, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("FERRYMAN_API_FUNCTION")

        result = run("status")

        assert (result.exit_code, "Set FERRYMAN_API_FUNCTION to the output ApiFunctionArn" in result.stderr) == (
            3,
            True,
        )

    def test_a_proof_that_the_operator_no_longer_takes_is_signed_anew(self, server: Server) -> None:
        """The machine slept: by its monotonic clock the proof is still young."""
        now = [1000.0]
        api = Api(
            f"https://{HOST}/", credentials=credentials(), region="eu-west-1", function=FUNCTION, connect=server.address
        )
        api._prover = Prover(FUNCTION, credentials(), now=lambda: now[0])
        api.get("/v1/platforms")
        server.callers._known.clear()
        server.sts.fails.append(Unconfirmed("ExpiredToken"))

        assert api.get("/v1/platforms") == {"platforms": []}
        first, second, third = (headers["x-ferryman-proof"] for _, _, headers, _ in server.seen)
        assert first == second != third

    def test_who_is_not_confirmed_is_not_asked_again_and_again(self, run: Run, server: Server) -> None:
        server.sts.people.clear()

        result = run("status")

        assert (result.exit_code, "Log in again" in result.stderr, len(server.seen)) == (3, True, 1)

    def test_an_older_operator_is_asked_without_a_proof(
        self, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It ignores one, and its stack does not tell what to bind it to."""
        monkeypatch.delenv("FERRYMAN_API_FUNCTION")
        server.canned["GET /v1/platforms"] = {"platforms": []}

        assert run("status").exit_code == 0
        assert "x-ferryman-proof" not in server.seen[0][2]

    def test_nobody_there(self, run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FERRYMAN_API_CONNECT", "http://127.0.0.1:9")

        result = run("hold", "staging", "-p", "scr", "--reason", "x")

        assert (result.exit_code, "cannot reach the operator's API at http://127.0.0.1:9" in result.stderr) == (3, True)

    def test_a_broken_operator(self, run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks() -> Any:
            raise RuntimeError("table is gone")

        monkeypatch.setattr(world.store, "platforms", breaks)

        result = run("status")

        assert (result.exit_code, "RuntimeError: table is gone" in result.stderr) == (3, True)
