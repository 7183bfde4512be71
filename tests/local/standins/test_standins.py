"""GitHub and Slack on loopback: they answer as the real ones do where it matters, and can be in trouble."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ferryman_local.standins import GitHub, Slack
from local.clock import until

SHORT = "3f9c2ab"


@pytest.fixture
def github() -> Iterator[GitHub]:
    stand_in = GitHub().start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def slack() -> Iterator[Slack]:
    stand_in = Slack().start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(github: GitHub) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {github.token}"}
    with httpx.Client(base_url=f"{github.url}/repos/scr-platform/scr/", headers=headers, trust_env=False) as made:
        yield made


def test_a_release_is_made_once(github: GitHub, client: httpx.Client) -> None:
    assert client.get("releases/tags/v1.0.0").status_code == 404
    body = {"tag_name": "v1.0.0", "target_commitish": client.get(f"commits/{SHORT}").json()["sha"], "body": "Notes"}
    made = client.post("releases", json=body)
    assert made.status_code == 201
    assert made.json()["html_url"].endswith("/releases/tag/v1.0.0")
    again = client.post("releases", json=body)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "already_exists")
    assert client.get("releases/tags/v1.0.0").json()["body"] == "Notes"
    assert client.get("releases/latest").json()["tag_name"] == "v1.0.0"
    assert list(github.releases) == ["v1.0.0"]


def test_a_status_needs_the_whole_sha(github: GitHub, client: httpx.Client) -> None:
    body = {"state": "success", "context": "ferryman/staging", "description": "runs"}
    assert client.post(f"statuses/{SHORT}", json=body).status_code == 422
    sha = client.get(f"commits/{SHORT}").json()["sha"]
    assert sha.startswith(SHORT)
    assert len(sha) == 40
    assert client.post(f"statuses/{sha}", json=body).status_code == 201
    assert client.post(f"statuses/{sha}", json={**body, "state": "fine"}).status_code == 422
    assert client.post(f"statuses/{sha}", json={**body, "description": "x" * 141}).status_code == 422
    assert [item["context"] for item in github.statuses] == ["ferryman/staging"]


def test_a_deployment_has_statuses(github: GitHub, client: httpx.Client) -> None:
    assert client.post("deployments", json={"ref": SHORT, "environment": "staging"}).status_code == 409
    made = client.post("deployments", json={"ref": SHORT, "environment": "staging", "required_contexts": []}).json()
    told = client.post(f"deployments/{made['id']}/statuses", json={"state": "in_progress"})
    assert told.status_code == 201
    assert client.post("deployments/1/statuses", json={"state": "success"}).status_code == 404
    assert [item["id"] for item in client.get("deployments", params={"environment": "staging"}).json()] == [made["id"]]
    assert client.get("deployments", params={"environment": "production"}).json() == []


def test_commits_are_compared(client: httpx.Client) -> None:
    found = client.get("compare/1111111...2222222").json()
    assert (found["status"], found["total_commits"]) == ("ahead", 2)
    assert found["commits"][-1]["sha"].startswith("2222222")
    assert client.get("compare/main...nothing-like-it").status_code == 404


def test_without_a_known_token_nothing_is_told(github: GitHub, client: httpx.Client) -> None:
    assert client.get("releases", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(f"{github.url}/repos/scr-platform/scr/releases", trust_env=False).status_code == 401


def test_an_app_gets_a_token_for_a_signed_claim(github: GitHub) -> None:
    key = rsa.generate_private_key(65537, 2048)
    github.app_key = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def ask(**claims: Any) -> httpx.Response:
        now = int(time.time())
        payload = {"iss": "Iv23", "iat": now - 60, "exp": now + 300, **claims}
        text = f"{part(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(payload).encode())}"
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        headers = {"authorization": f"Bearer {text}.{part(signature)}"}
        return httpx.post(f"{github.url}/app/installations/42/access_tokens", headers=headers, trust_env=False)

    token = ask().json()["token"]
    inside = f"{github.url}/repos/scr-platform/scr/releases"
    assert httpx.get(inside, headers={"authorization": f"token {token}"}, trust_env=False).status_code == 200
    assert ask(exp=int(time.time()) + 3600).status_code == 401
    key = rsa.generate_private_key(65537, 2048)
    assert ask().status_code == 401, "another key"


def test_trouble_comes_and_goes(github: GitHub, client: httpx.Client) -> None:
    down = github.trouble("down", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("releases")
    assert (client.get("releases").status_code, down.hits) == (200, 1)
    github.trouble("nonsense")
    assert "guest network" in client.get("releases").text
    github.calm()
    github.trouble("error", matches=lambda method, _path: method == "POST")
    assert client.post("releases", json={"tag_name": "v1.0.0"}).status_code == 503
    assert client.get("releases").status_code == 200
    assert github.releases == {}
    github.calm()
    github.trouble("slow", seconds=5)
    with pytest.raises(httpx.ReadTimeout):
        client.post("releases", json={"tag_name": "v1.0.0"}, timeout=0.2)
    until(lambda: list(github.releases) == ["v1.0.0"], "what comes late happens all the same")


def test_a_webhook_and_a_bot(slack: Slack) -> None:
    assert httpx.post(slack.webhook, json={"text": "hello"}, trust_env=False).text == "ok"
    assert httpx.post(f"{slack.url}/services/T/B/wrong", json={"text": "x"}, trust_env=False).status_code == 404
    headers = {"authorization": f"Bearer {slack.bot_token}"}
    with httpx.Client(base_url=slack.api_url, headers=headers, trust_env=False) as bot:
        made = bot.post("/chat.postMessage", json={"channel": "C1", "text": "asks", "blocks": []}).json()
        changed = {"channel": made["channel"], "ts": made["ts"], "text": "decided"}
        assert bot.post("/chat.update", json=changed).json()["ok"]
        assert bot.post("/chat.update", json={**changed, "ts": "1.0"}).json()["error"] == "message_not_found"
    assert httpx.post(f"{slack.api_url}/chat.postMessage", json={}, trust_env=False).json()["error"] == "invalid_auth"
    (message,) = slack.messages
    assert (message.text, [before["text"] for before in message.versions]) == ("decided", ["asks"])
    assert [item["text"] for item in slack.posted] == ["hello"]


def test_a_press_is_signed(slack: Slack) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    class App(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    app = HTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    button = {"type": "button", "action_id": "approve", "value": "01ABC", "text": {"type": "plain_text", "text": "Yes"}}
    headers = {"authorization": f"Bearer {slack.bot_token}"}
    body = {"channel": "C1", "text": "asks", "blocks": [{"type": "actions", "elements": [button]}]}
    httpx.post(f"{slack.api_url}/chat.postMessage", json=body, headers=headers, trust_env=False)
    assert slack.messages[0].shown == "asks\nYes"
    url = f"http://127.0.0.1:{app.server_address[1]}/slack"
    assert slack.press(url, slack.messages[0], "approve", user="U1").status_code == 200
    app.shutdown()
    app.server_close()
    ((sent, raw),) = got
    base = b"v0:" + sent["x-slack-request-timestamp"].encode() + b":" + raw
    wanted = "v0=" + hmac.new(slack.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    assert sent["x-slack-signature"] == wanted
    payload = json.loads(parse_qs(raw.decode())["payload"][0])
    assert (payload["user"]["id"], payload["team"]["id"]) == ("U1", slack.team)
    assert payload["actions"][0]["value"] == "01ABC"
