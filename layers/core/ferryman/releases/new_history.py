"""A name of a deleted environment is used again: nothing of the former one counts for the new one.

Called by adoption, before the document that has the environment again is stored. The former one's records stay.
"""

from datetime import datetime

from ferryman.errors import Conflict
from ferryman.records import EnvironmentState
from ferryman.records.writes import Save
from ferryman.store.table import Store


def begin(store: Store, former: EnvironmentState, at: datetime) -> EnvironmentState:
    """Return the state that a new environment starts from; `former` is what the one of the same name left.

    Its proofs are taken from the releases, and its migrations count no more: the new one may have another database.
    The fence goes on, so that nothing that was late in the former one can write here. Safe to run again.
    """
    platform, name = former.platform, former.environment
    for release in store.releases(platform):
        if name in release.verified:
            _forget(store, platform, release.version, name)
    for claim in store.migrations(platform, name):
        # One that is open may still have a task: whoever migrates next finds out.
        if claim.status in ("Succeeded", "Failed", "Unknown", "Reverted"):
            store.write(Save(claim.but(status="Former")))
    return EnvironmentState(platform=platform, environment=name, fence=former.fence, began_at=at, rev=former.rev)


def _forget(store: Store, platform: str, version: str, name: str) -> None:
    for _ in store.attempts():
        release = store.release(platform, version)
        if release is None or name not in release.verified:
            return
        left = {env: proof for env, proof in release.verified.items() if env != name}
        try:
            store.write(Save(release.but(verified=left)))
        except Conflict:
            continue
        return
    raise Conflict(f"release {version} kept changing; apply again")
