"""Check that the secrets which references lead to are there for what the document uses them for. Part of `apply`.

What a reference leads to can change later, so that `clients.secrets` checks again before each reading.
"""

from ferryman.clients.ssm import References
from ferryman.errors import ReferenceUnresolved
from ferryman.platform import Platform, secret_uses
from ferryman.platform.problem import Problem
from ferryman.platform.values import is_reference


def examine(document: Platform, references: References) -> tuple[list[Problem], list[Problem]]:
    """Return the secrets of channels and of GitHub that are for something else, and as notes those not there yet."""
    problems: list[Problem] = []
    notes: list[Problem] = []
    for one in secret_uses.named(document):
        if not is_reference(one.arn):
            continue  # `secret_uses.problems_of` has judged it.
        try:
            why = secret_uses.problem(references.text(one.arn), document.name, one.use)
        except ReferenceUnresolved as error:
            notes.append((one.path, f"{error}; until then, nothing is sent with this secret"))
            continue
        if why is not None:
            problems.append((one.path, why))
    return problems, notes
