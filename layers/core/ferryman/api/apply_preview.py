"""What an answer of `apply` says about its effect: which fields change, and which deployments start by themselves."""

from typing import Any

from ferryman.api.context import Context
from ferryman.api.proposing import Judged
from ferryman.platform import Platform


def of(operator: Context, judged: Judged, document: Platform, *, changed: bool) -> dict[str, Any]:
    """Return `fields` and `starts`; both are empty for a first apply, which deploys nothing."""
    stored = judged.stored
    if not changed or stored is None:
        return {"fields": [], "starts": []}
    # Rare: few calls apply a document.
    from ferryman.decisions.document_changes.fields import fields

    found = fields(stored.dump(), document.dump(), judged.changes)
    return {
        "fields": [
            {"path": item.path, "before": item.before, "after": item.after, "loosens": item.loosens} for item in found
        ],
        "starts": _starts(operator, stored, document),
    }


def _starts(operator: Context, stored: Platform, document: Platform) -> list[dict[str, str]]:
    from ferryman.api.read import RECENT, source_of
    from ferryman.decisions.document_changes.starts import starts
    from ferryman.decisions.explain.inputs import Facts

    releases, now, found = operator.store.releases(document.name), operator.clock(), []
    # What already runs in a new environment is adopted, and nothing is deployed.
    for name in (name for name in document.spec.environments if name in stored.spec.environments):
        state = operator.store.state(document.name, name)
        deployments = operator.store.deployments(document.name, name, limit=RECENT, since=state.began_at)
        before, after = (
            Facts(which, state, releases, deployments, now, source_of(operator, which, name))
            for which in (stored, document)
        )
        version = starts(before, after, now)
        if version is not None:
            found.append({"environment": name, "version": version})
    return found
