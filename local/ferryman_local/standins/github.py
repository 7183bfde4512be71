"""The part of GitHub that Ferryman uses: releases, comparing commits, commit statuses, deployments, an app's tokens.

Source of paths, responses and errors: the REST API's reference, version 2022-11-28.
"""

import base64
import binascii
import hashlib
import itertools
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ferryman_local.standins.server import Answer, StandIn

_FULL = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,40}")

NOT_FOUND = Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"})


def full_sha(ref: str) -> str:
    """The full sha of a short one; always the same."""
    return ref + hashlib.sha1(ref.encode()).hexdigest()[len(ref) :]  # noqa: S324 - git's own


class GitHub(StandIn):
    """A GitHub that has every repository; every valid sha is a commit of it."""

    def __init__(self, repository: str = "scr-platform/scr") -> None:
        super().__init__()
        self.repository = repository
        self.token = f"github_pat_{uuid4().hex}"
        """A valid token, in addition to those of the app."""
        self.tokens = {self.token}
        self.app_key = ""
        """The app's public key (PEM); without it, any well-formed token of an app is accepted."""
        self.releases: dict[str, dict[str, Any]] = {}
        """Tag → release."""
        self.statuses: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.deployment_statuses: list[dict[str, Any]] = []
        self.tags: dict[str, str] = {}
        """Git tag → full sha."""
        self.unknown: set[str] = set()
        """Refs without a commit."""
        self._ids = itertools.count(1001)

    def respond(
        self, method: str, path: str, _query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        """Handle one request."""
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token"):
            return Answer(401, {"message": "Requires authentication", "status": "401"})
        if re.fullmatch(r"/app/installations/\d+/access_tokens", path):
            return self._app_token(credential) if method == "POST" else NOT_FOUND
        if credential not in self.tokens:
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if method == "GET" and re.fullmatch(r"/repos/[^/]+/[^/]+", path):
            return Answer(200, {"full_name": path.removeprefix("/repos/"), "private": True})
        inside = re.fullmatch(r"/repos/([^/]+/[^/]+)/(.+)", path)
        if inside is None:
            return NOT_FOUND
        repository, rest = inside.groups()
        for verb, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, rest)
            if verb == method and found is not None:
                data = body if isinstance(body, dict) else {}
                told: Answer = answer(self, repository, data, _query, *found.groups())
                return told
        return NOT_FOUND

    def _app_token(self, jwt: str) -> Answer:
        problem = _problem_with(jwt, self.app_key)
        if problem:
            return Answer(401, {"message": problem, "status": "401"})
        token = f"ghs_{uuid4().hex}"
        self.tokens.add(token)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        return Answer(201, {"token": token, "expires_at": expires, "permissions": {"contents": "write"}})

    # ── commits ──

    def _sha(self, ref: str) -> str | None:
        if ref in self.tags:
            return self.tags[ref]
        return full_sha(ref) if _SHORT.fullmatch(ref) and ref not in self.unknown else None

    def _commit(self, repository: str, _body: Any, _query: Any, ref: str) -> Answer:
        sha = self._sha(ref)
        if sha is None:
            return Answer(422, {"message": f"No commit found for SHA: {ref}", "status": "422"})
        return Answer(200, self._described(repository, sha))

    def _described(self, repository: str, sha: str) -> dict[str, Any]:
        author = {"name": "Jo Doe", "email": "jo@example.com", "date": "2026-11-01T09:00:00Z"}
        return {
            "sha": sha,
            "html_url": f"https://github.com/{repository}/commit/{sha}",
            "commit": {"message": f"Change {sha[:7]}\n\nAll about it.", "author": author},
            "author": {"login": "jo-doe", "html_url": "https://github.com/jo-doe"},
        }

    def _compare(self, repository: str, _body: Any, _query: Any, base: str, head: str) -> Answer:
        shas = [self._sha(ref) for ref in (base, head)]
        if None in shas:
            return NOT_FOUND
        middle = full_sha(hashlib.sha1(f"{base}{head}".encode()).hexdigest()[:7])  # noqa: S324
        commits = [self._described(repository, str(sha)) for sha in (middle, shas[1])]
        same = shas[0] == shas[1]
        return Answer(
            200,
            {
                "status": "identical" if same else "ahead",
                "ahead_by": 0 if same else 2,
                "behind_by": 0,
                "total_commits": 0 if same else 2,
                "commits": [] if same else commits,
                "html_url": f"https://github.com/{repository}/compare/{base}...{head}",
            },
        )

    # ── releases ──

    def _release(self, _repository: str, _body: Any, _query: Any, tag: str) -> Answer:
        return Answer(200, self.releases[tag]) if tag in self.releases else NOT_FOUND

    def _all_releases(self, _repository: str, _body: Any, query: Mapping[str, str]) -> Answer:
        newest = list(self.releases.values())[::-1]
        return Answer(200, newest[: int(query.get("per_page", "30"))] if query.get("page", "1") == "1" else [])

    def _latest(self, _repository: str, _body: Any, _query: Any) -> Answer:
        settled = [item for item in self.releases.values() if not item["draft"] and not item["prerelease"]]
        return Answer(200, settled[-1]) if settled else NOT_FOUND

    def _create_release(self, repository: str, body: dict[str, Any], _query: Any) -> Answer:
        tag = body.get("tag_name")
        if not tag:
            return _invalid("Release", "tag_name", "missing_field")
        if tag in self.releases:
            return _invalid("Release", "tag_name", "already_exists")
        target = str(body.get("target_commitish", "main"))
        if _SHORT.fullmatch(target) and not _FULL.fullmatch(target):
            return _invalid("Release", "target_commitish", "invalid")
        self.tags.setdefault(tag, target)
        made = {
            "id": next(self._ids),
            "html_url": f"https://github.com/{repository}/releases/tag/{tag}",
            "tag_name": tag,
            "target_commitish": target,
            "name": body.get("name") or tag,
            "body": body.get("body", ""),
            "draft": bool(body.get("draft")),
            "prerelease": bool(body.get("prerelease")),
            "created_at": "2026-11-01T10:00:00Z",
        }
        self.releases[tag] = made
        return Answer(201, made)

    def _change_release(self, _repository: str, body: dict[str, Any], _query: Any, number: str) -> Answer:
        found = next((item for item in self.releases.values() if item["id"] == int(number)), None)
        if found is None:
            return NOT_FOUND
        found.update({key: body[key] for key in ("name", "body", "draft", "prerelease") if key in body})
        return Answer(200, found)

    def _notes(self, repository: str, body: dict[str, Any], _query: Any) -> Answer:
        tag, before = body.get("tag_name"), body.get("previous_tag_name", "")
        text = f"**Full Changelog**: https://github.com/{repository}/compare/{before}...{tag}"
        return Answer(200, {"name": tag, "body": text})

    # ── statuses ──

    def _status(self, _repository: str, body: dict[str, Any], _query: Any, sha: str) -> Answer:
        if not _FULL.fullmatch(sha) or sha[:7] in self.unknown:
            return Answer(422, {"message": f"No commit found for SHA: {sha}", "status": "422"})
        if body.get("state") not in ("error", "failure", "pending", "success"):
            return _invalid("Status", "state", "invalid")
        if len(str(body.get("description") or "")) > 140:
            return _invalid("Status", "description", "description is too long (maximum is 140 characters)")
        made = {"id": next(self._ids), "sha": sha, **body}
        self.statuses.append(made)
        return Answer(201, made)

    def _statuses_of(self, _repository: str, _body: Any, _query: Any, sha: str) -> Answer:
        return Answer(200, [item for item in self.statuses if item["sha"] == sha][::-1])

    def _create_deployment(self, repository: str, body: dict[str, Any], _query: Any) -> Answer:
        sha = self._sha(str(body.get("ref", "")))
        if sha is None:
            return Answer(422, {"message": f"No ref found for: {body.get('ref')}", "status": "422"})
        if body.get("required_contexts") != []:
            return Answer(409, {"message": "Conflict: Commit status checks failed for main.", "status": "409"})
        number = next(self._ids)
        made = {
            "id": number,
            "sha": sha,
            "url": f"{self.url}/repos/{repository}/deployments/{number}",
            "statuses_url": f"{self.url}/repos/{repository}/deployments/{number}/statuses",
            **{key: value for key, value in body.items() if key != "id"},
        }
        self.deployments.append(made)
        return Answer(201, made)

    def _deployments(self, _repository: str, _body: Any, query: Mapping[str, str]) -> Answer:
        wanted = {key: query[key] for key in ("sha", "ref", "task", "environment") if key in query}
        found = [item for item in self.deployments if all(item.get(key) == value for key, value in wanted.items())]
        return Answer(200, found[::-1])

    def _deployment_status(self, _repository: str, body: dict[str, Any], _query: Any, number: str) -> Answer:
        if not any(item["id"] == int(number) for item in self.deployments):
            return NOT_FOUND
        states = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
        if body.get("state") not in states:
            return _invalid("DeploymentStatus", "state", "invalid")
        if len(str(body.get("description") or "")) > 140:
            return _invalid("DeploymentStatus", "description", "description is too long (maximum is 140 characters)")
        made = {"id": next(self._ids), "deployment": int(number), **body}
        self.deployment_statuses.append(made)
        return Answer(201, made)

    def _deployment_statuses(self, _repository: str, _body: Any, _query: Any, number: str) -> Answer:
        return Answer(200, [item for item in self.deployment_statuses if item["deployment"] == int(number)][::-1])


_ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", r"commits/([^/]+)", GitHub._commit),
    ("GET", r"compare/([^/]+?)\.\.\.([^/]+)", GitHub._compare),
    ("GET", r"releases/tags/([^/]+)", GitHub._release),
    ("GET", r"releases/latest", GitHub._latest),
    ("GET", r"releases", GitHub._all_releases),
    ("POST", r"releases", GitHub._create_release),
    ("POST", r"releases/generate-notes", GitHub._notes),
    ("PATCH", r"releases/(\d+)", GitHub._change_release),
    ("POST", r"statuses/([^/]+)", GitHub._status),
    ("GET", r"commits/([^/]+)/statuses", GitHub._statuses_of),
    ("POST", r"deployments", GitHub._create_deployment),
    ("GET", r"deployments", GitHub._deployments),
    ("POST", r"deployments/(\d+)/statuses", GitHub._deployment_status),
    ("GET", r"deployments/(\d+)/statuses", GitHub._deployment_statuses),
)


def _invalid(resource: str, name: str, code: str) -> Answer:
    error = {"resource": resource, "field": name, "code": code}
    return Answer(422, {"message": "Validation Failed", "errors": [error], "status": "422"})


def _problem_with(jwt: str, public_key: str) -> str:
    """The reason why GitHub would reject an app's token, or nothing."""
    parts = jwt.split(".")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
        signature = base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4))
    except (ValueError, IndexError, binascii.Error):
        return "A JSON web token could not be decoded"
    now = time.time()
    if header.get("alg") != "RS256" or not claims.get("iss"):
        return "'Issuer' claim ('iss') must be an Integer"
    if not claims.get("iat", 0) - 60 <= now < claims.get("exp", 0) <= claims["iat"] + 660:
        return "'Expiration time' claim ('exp') is too far in the future"
    if public_key:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding

        key: Any = serialization.load_pem_public_key(public_key.encode())
        try:
            key.verify(signature, ".".join(parts[:2]).encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return "A JSON web token could not be decoded"
    return ""
