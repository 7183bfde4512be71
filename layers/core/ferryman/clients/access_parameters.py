"""The edge to SSM for roles: reads what a platform grants, and remembers it for a minute. Called by `serve_api`."""

from dataclasses import dataclass
from datetime import timedelta

from botocore.exceptions import ClientError

from ferryman.access import Access
from ferryman.access.grants import Grants, Malformed, parameter_name, parse
from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.permission_sets import PermissionSets
from ferryman.clients.remembered import Remembered
from ferryman.errors import TransientError, Unavailable
from ferryman.ids import Clock

_REMEMBERED = timedelta(seconds=60)
"""How long grants count without reading them again."""
_NOT_YET = timedelta(seconds=5)
"""How long until a parameter that is missing or malformed is read again: somebody may be writing it."""


@dataclass
class AccessParameters:
    """The parameters of all platforms. One per sandbox."""

    client: MakeClient
    clock: Clock

    def __post_init__(self) -> None:
        self._known: Remembered[Grants] = Remembered(self.clock)

    def of(self, platform: str) -> Grants:
        """Return what a platform grants; raise Unavailable when SSM does not answer.

        What is missing, forbidden or malformed is a Grants with a problem, which grants nothing.
        """
        return self._known.get(platform, self._read, lambda found: _NOT_YET if found.problem else _REMEMBERED)

    def _read(self, platform: str) -> Grants:
        name = parameter_name(platform)
        try:
            with translated():
                parameter = self.client("ssm").get_parameter(Name=name)["Parameter"]
        except TransientError as error:
            raise Unavailable(
                f"the roles on {platform} cannot be read just now, so only admins of Ferryman are let in ({error})"
            ) from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            missing = code == "ParameterNotFound"
            why = "does not exist" if missing else f"cannot be read ({code})"
            return Grants(problem=f"the SSM parameter {name} {why}")
        if parameter["Type"] != "String":
            return Grants(problem=f"the SSM parameter {name} has the type {parameter['Type']} and not String")
        try:
            return parse(parameter["Value"])
        except Malformed as error:
            return Grants(problem=f"the SSM parameter {name} is malformed: {error}")


def access(client: MakeClient, clock: Clock, account: str, admins: str) -> Access:
    """Return who may do what: the admins are those of the stack, separated by commas, whatever else can be read."""
    parameters, sets = AccessParameters(client, clock), PermissionSets(client, clock)
    return Access(tuple(admins.split(",")), parameters.of, account, sets.made)
