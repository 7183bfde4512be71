"""What the API says, asked anew for each page."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 2.0
LARGEST_ANSWER = 1_000_000


class StatusError(Exception):
    """The API answered, but not 200."""


@dataclass(frozen=True)
class ApiAnswer:
    """What one page shows of the API; `problem` is None when all went well."""

    version: str | None = None
    revision: str | None = None
    projects: tuple[tuple[str, str], ...] = ()
    problem: str | None = None


def ask(api_url: str, projects_shown: int) -> ApiAnswer:
    """Never raises: a page without the API is still a page."""
    try:
        # Under /api, not /health: that is what the load balancer routes to the API.
        health = _get(api_url, "/api/health")
        listed = _get(api_url, f"/api/projects?limit={projects_shown}")
        return ApiAnswer(
            version=str(health["version"]),
            revision=health["revision"],
            projects=tuple((str(project["name"]), str(project["stage"])) for project in listed),
        )
    except StatusError as error:
        return ApiAnswer(problem=f"api returned {error}")
    except (OSError, HTTPException) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        return ApiAnswer(problem=f"api unreachable ({reason})")
    except (ValueError, LookupError, TypeError):
        return ApiAnswer(problem="api returned an unexpected response")


def _get(api_url: str, path: str) -> Any:
    url = urlsplit(api_url)
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", url.path + path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise StatusError(f"{response.status} {response.reason}")
        return json.loads(response.read(LARGEST_ANSWER))
    finally:
        connection.close()
