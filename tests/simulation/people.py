"""People: they push images, and they use the API as the `ferryman` command does."""

import json
from typing import Any

from ferryman import proofs
from ferryman.decisions.schema_compatibility import MIGRATIONS, UNSAFE
from ferryman.proofs import Proof
from simulation.documents import COMPONENTS, PLATFORM
from simulation.scheduler import Future
from simulation.surroundings import Surroundings

LOOKS = ("", "/document", "/proposal", "/doctor", "/channels", "/releases", "/tags/latest", "/audit")
"""What people read of a platform."""
LOOKS_AT = ("", "/history", "/explain", "/events", "/diff", "/approval")
"""What they read of an environment."""
WHATEVER = "whatever it breaks"
"""Why somebody rolls back who accepts that the database does not fit."""


class People:
    """What people do to one world, and what they were answered."""

    def __init__(self, world: Surroundings) -> None:
        self._world = world
        self._asked = 0
        self.answers: list[tuple[str, str, float, int, Any]] = []
        """(environment, what, when the answer came, status, body)."""
        self.declares = world.variant == "migration"
        """Whether images list their migrations, of which each release has one, with the release's name."""
        self.migrations: list[str] = []
        self.unsafe: list[str] = []
        self.pushed: dict[str, dict[str, str]] = {}
        """Version → component → digest, as far as it was pushed."""

    def apply(self) -> Future:
        """Apply the platform document."""
        return self.ask("ada", "PUT", f"/v1/platforms/{PLATFORM}", self._world.document, "", "apply")

    def push(
        self, version: str, components: tuple[str, ...] = COMPONENTS, *, unsafe: bool = False, **behaviour: str
    ) -> None:
        """Push the images of a release, or some of them. `unsafe`: its own migration is not rollback-safe."""
        registry = self._world.registry
        if version not in self.migrations:
            self.migrations.append(version)
            self.unsafe += [version] if unsafe else []
        labels = {MIGRATIONS: ",".join(self.migrations), UNSAFE: ",".join(self.unsafe)}
        for component in components:
            digest = registry.push(
                f"scr-{component}",
                version,
                f"{component} {version}",
                labels=labels if self.declares else None,
                **behaviour,
            )
            registry.scanned.setdefault(digest, self._world.scheduler.now())
            self.pushed.setdefault(version, {})[component] = digest
            self._world.pushed(component, version)
        self._world.github.commits[version] = f"{version:0<40}"

    def name(self, version: str, name: str) -> None:
        """Give all images of a release a semver tag."""
        for component, digest in self.pushed.get(version, {}).items():
            self._world.registry.tags[f"scr-{component}"].setdefault(name, digest)
            self._world.pushed(component, name)

    def post(self, who: str, environment: str, what: str, **body: Any) -> Future:
        """Send a command: hold, resume, freeze, thaw, abort, retry, rollback, approve, reject, …"""
        path = f"/v1/platforms/{PLATFORM}/environments/{environment}/{what}"
        return self.ask(who, "POST", path, body, environment, what)

    def look(self, who: str, environment: str = "") -> None:
        """Read everything that the API tells of an environment, or of the platform; reads change nothing."""
        path = f"/v1/platforms/{PLATFORM}"
        for more in LOOKS_AT if environment else LOOKS:
            self.ask(
                who, "GET", f"{path}/environments/{environment}{more}" if environment else path + more, None, "", "look"
            )

    def _proof(self, who: str) -> str:
        """Return a proof of identity; STS takes the access key's word for it."""
        at = self._world.scheduler.now()
        signed = f"content-type;host;x-amz-date;{proofs.BINDING_HEADER}".split(";")
        authorization = (
            f"AWS4-HMAC-SHA256 Credential=AKIA{who}/{at:%Y%m%d}/eu-west-1/sts/aws4_request, "
            f"SignedHeaders={';'.join(sorted(signed))}, Signature={'0' * 64}"
        )
        return proofs.encode(Proof(authorization, f"{at:%Y%m%dT%H%M%SZ}", "", f"{self._asked:032x}"))

    def browse(self, method: str, path: str, form: str = "") -> Future:
        """Send a request to the approval pages, as a browser does."""
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"http": {"method": method, "path": path, "sourceIp": "203.0.113.8"}},
            "body": form,
            "isBase64Encoded": False,
        }
        return self._world.lambdas.invoke("DecideApproval", event)

    def ask(
        self, who: str, method: str, path: str, body: Any, environment: str, what: str, *, query: str = ""
    ) -> Future:
        """Send a request to the API."""
        world = self._world
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json", proofs.PROOF_HEADER: self._proof(who)},
            "requestContext": {
                "accountId": "123456789012",
                "http": {"method": method, "path": path, "sourceIp": "203.0.113.7", "userAgent": "simulation"},
            },
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }
        self._asked += 1
        future = world.lambdas.invoke("ServeApi", event)

        def answered() -> None:
            if future.error is None:
                said = json.loads(future.value["body"])
                self.answers.append((environment, what, world.scheduler.seconds, future.value["statusCode"], said))

        future.when_done(answered)
        return future
