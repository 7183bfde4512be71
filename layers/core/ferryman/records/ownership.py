"""What belongs to whom: services, task definitions, roles and jobs to environments, secrets to platforms. Pure."""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class Ownership(Record):
    """What belongs to one environment or, if `environment` is empty, to its platform as a whole."""

    platform: str
    environment: str = ""
    generation: int
    """Of the document that it was made from; of another one, it is out of date."""
    things: list[str] = []
    """As `platform.claims` names them."""
    later: list[str] = []
    """What references of the document have come to name since: `begin_deployment` adds it."""
    tags: list[str] = []
    """Of an environment: tags that it moves, in each of the platform's repositories."""
    repositories: list[str] = []
    """Of a platform."""
    complete: bool = True
    """False: something could not be read, and what was known of it before is kept."""
    at: AwareDatetime
    rev: int = 0


class OwnershipRegister(Record):
    """Changes with everything that somebody comes to own or ceases to own, so that of two writers one reads again."""

    at: AwareDatetime
    rev: int = 0
