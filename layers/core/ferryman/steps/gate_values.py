"""Are the values behind the references in an environment's gates still those that its approvers know?

Whoever can write SSM parameters could otherwise change who approves, which cluster is deployed to or which address is
smoke-tested, between two applies. Called by begin_deployment and request_approval, each with the values that it uses.
"""

from collections.abc import Mapping

from ferryman.clients.ssm import References, values_of
from ferryman.decisions.document_changes.references import moved
from ferryman.errors import VerificationFailed
from ferryman.platform import Platform
from ferryman.text import listed


def refuse_moved(document: Platform, known: Mapping[str, str], environment: str, references: References) -> None:
    """Raise VerificationFailed when one has another value than at the last apply (`AppliedPlatform.references`)."""
    found = moved(document, known, environment, lambda named: values_of(references, named))
    if found:
        raise VerificationFailed(
            f"the value of at least one of {listed(found)} has changed since the document was applied, and the gates "
            f"of {environment} depend on it: restore it, or `apply` the document again, which asks the approvers"
        )
