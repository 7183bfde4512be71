"""Read from SSM who is declared as a person: see `access.people`."""

from ferryman.access import people
from ferryman.access.people import People
from ferryman.clients.ssm import References
from ferryman.errors import ReferenceUnresolved


def declared(references: References, platform: str) -> People:
    """Return the declared people of a platform; nobody when there is no configuration or it can't be read.

    Raise Throttled or Unavailable when another try may help.
    """
    try:
        return people.parse(references.text(f"ssm:{people.PARAMETER}{platform}"))
    except ReferenceUnresolved as error:
        return People(problem=str(error))
