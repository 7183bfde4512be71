"""Step publish_release: create the GitHub release of a semver tag. If it fails, the deployment has still succeeded.

Called by functions/publish_release, after the outcome was recorded and the claim released: it writes without a fence.
When GitHub does not answer, `notify` goes on trying, for hours.
"""

import logging
from datetime import timedelta

from ferryman.clients.aws_types import MakeClient
from ferryman.clients.github.auth import Project, connect
from ferryman.clients.github.client import REAL_NETWORK, Declined, Network, an_object, part, text_of
from ferryman.contracts import PublishReleaseInput, PublishReleaseOutput
from ferryman.errors import Conflict, PermanentError, TransientError
from ferryman.ids import Clock, NewId
from ferryman.messages import github, release_notes, timeline
from ferryman.platform import Platform, parse
from ferryman.platform.hosts import Hosts
from ferryman.records import Deployment, EventType, Phase, Publication
from ferryman.records.writes import Save
from ferryman.store.table import Store
from ferryman.text import one_line

_LOG = logging.getLogger("ferryman")
_TRIED_FOR = timedelta(hours=4)
"""About how long notify tries to deliver a row."""


def publish(
    event: PublishReleaseInput,
    *,
    store: Store,
    client: MakeClient,
    clock: Clock,
    new_id: NewId,
    hosts: Hosts,
    network: Network = REAL_NETWORK,
) -> PublishReleaseOutput:
    """Make sure that GitHub has the release, and record it; safe to run again after a crash on any line.

    What can't be helped by trying again is recorded as Failed. Raise Throttled, Unavailable or Conflict for another try
    by the state machine for about two minutes, and by notify for some hours; that, too, stands in the record meanwhile.
    """
    deployment = store.deployment(event.platform, event.environment, event.deployment)
    done = deployment.publication
    if done is not None and done.status == "Published":
        return PublishReleaseOutput(verdict="Published", url=done.url)
    if deployment.tag is None or deployment.phase is not Phase.SUCCEEDED:
        return PublishReleaseOutput(verdict="Skipped")
    try:
        document = parse(store.platform(event.platform).document)
        if document.spec.github is None or not document.spec.github.has_key:
            return PublishReleaseOutput(verdict="Skipped")
        project = connect(
            document.spec.github, client, platform=event.platform, hosts=hosts, clock=clock, network=network
        )
        url = _ensure_release(deployment, document, project, store)
    except TransientError as error:
        until = f"{clock() + _TRIED_FOR:%Y-%m-%d %H:%M} UTC"
        told = f"{one_line(str(error), limit=300)}; it is retried until about {until}; after that, create it manually"
        _record(deployment, Publication(status="Failed", message=told, at=clock()), None, store, new_id, again=True)
        raise
    except (PermanentError, Declined) as error:
        told = one_line(str(error), limit=500)
        _record(deployment, Publication(status="Failed", message=told, at=clock()), None, store, new_id)
        return PublishReleaseOutput(verdict="Failed")
    told = f"release {deployment.tag} is on GitHub"
    done = Publication(status="Published", url=url, message=told, at=clock())
    _record(deployment, done, document, store, new_id)
    return PublishReleaseOutput(verdict="Published", url=url)


def _ensure_release(deployment: Deployment, document: Platform, project: Project, store: Store) -> str:
    """Return the address of the release, made if it is not there yet."""
    tag = str(deployment.tag)
    sha = project.commit(deployment.version)
    if sha is None:
        raise Declined(404, f"{deployment.version} is not a commit of {project.page}, so {tag} cannot point to it")
    # A tag that names something else would be taken as it is, silently.
    named = project.commit(tag)
    if named is not None and named != sha:
        raise Declined(
            422, f"the git tag {tag} points to commit {named[:7]}, but {sha[:7]} runs; create the release manually"
        )
    existing = _find(tag, project)
    if existing is not None:
        return existing
    body = {
        "tag_name": tag,
        "target_commitish": sha,
        "name": tag,
        "body": _notes(deployment, document, project, store),
        "draft": False,
        "prerelease": "-" in tag.partition("+")[0],
    }
    try:
        return text_of(project.api.post(f"{project.path}/releases", body), "html_url")
    except Declined as error:
        if "already_exists" not in error.codes:
            raise
        # Somebody was faster, or an earlier answer of GitHub's got lost.
        existing = _find(tag, project)
        if existing is None:
            raise
        return existing


def _find(tag: str, project: Project) -> str | None:
    found = project.api.find(f"{project.path}/releases/tags/{part(tag)}")
    return None if found is None else text_of(an_object(found), "html_url")


def _notes(deployment: Deployment, document: Platform, project: Project, store: Store) -> str:
    environment = document.spec.environments.get(deployment.environment)
    return release_notes.release_notes(
        deployment,
        page=project.page,
        changes=_changes(deployment, project),
        release=store.release(deployment.platform, deployment.version),
        source=environment.promote_from if environment else None,
        approval=store.approval(deployment.id),
    )


def _changes(deployment: Deployment, project: Project) -> release_notes.Changes | None:
    before = deployment.from_version
    if before is None or before == deployment.version:
        return None
    span = f"{part(before)}...{part(deployment.version)}"
    try:
        return release_notes.changes_in(an_object(project.api.get(f"{project.path}/compare/{span}")))
    except Declined:
        # What ran before was no commit, or its history was rewritten: the notes say so.
        return None


def _record(
    deployment: Deployment,
    done: Publication,
    document: Platform | None,
    store: Store,
    new_id: NewId,
    *,
    again: bool = False,
) -> None:
    """Write down how it went, with its line in the timeline. With `again`, only if nothing stands there yet."""
    if done.status == "Published":
        kind, told = EventType.PUBLISHED, f"{done.message}: {done.url}"
    else:
        kind, told = EventType.PUBLISH_FAILED, f"release {deployment.tag} is not on GitHub: {done.message}"
    for _ in store.attempts():
        before = store.deployment(deployment.platform, deployment.environment, deployment.id)
        stands = before.publication
        if stands is not None and (
            again or stands.status == "Published" or stands.but(at=done.at) == done
        ):  # fmt: skip
            return
        after = before.but(publication=done)
        rows = github.for_change(after, document, done.at, "published") if document else []
        if again:
            rows = [github.for_release(after, done.at)]
        try:
            store.write(Save(after), timeline.event(after, kind, told, at=done.at, new_id=new_id), *rows)
        except Conflict:
            continue
        _LOG.info("%s", told, extra={"deployment": deployment.id})
        return
    raise Conflict(f"the record of {deployment.id} kept changing; the next attempt reads it again")
