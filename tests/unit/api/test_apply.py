"""Applying a document: created, configured, unchanged; and what stands in the way."""

import copy
from typing import Any

import pytest

from ferryman.errors import Unavailable
from ferryman.platform import Platform, parse
from ferryman.platform.problem import Findings
from ferryman.records import Image
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit import refused_documents
from unit.api_world import ADMIN, JO, KIM, World
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.secrets import arn

SCR = "/v1/platforms/scr"


@pytest.fixture
def world(store: Store, clock: FakeClock, new_id: FakeIds) -> World:
    return World(store, clock, new_id)


def test_the_first_apply_creates_adopts_and_nudges(world: World, scr_document: dict[str, Any]) -> None:
    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["result"], body["generation"], body["dryRun"]) == (200, "created", 1, False)
    applied = world.store.platform("scr")
    assert (applied.applied_by, applied.applied_at, applied.generation) == (JO, world.clock.at, 1)
    assert parse(applied.document) == parse(scr_document)
    assert (world.outside.adopted, world.outside.nudged) == (
        ["scr"],
        [("scr", "staging"), ("scr", "production")],
    )
    assert world.timeline("scr") == [("Applied", JO)]


def test_the_same_again_changes_nothing(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    spelled = copy.deepcopy(scr_document)
    spelled["spec"]["assemblyTimeout"] = "1800s"  # 30m, spelled differently

    status, body = world.call("PUT", SCR, spelled, who=KIM)

    assert (status, body["result"], body["generation"]) == (200, "unchanged", 1)
    assert world.store.platform("scr").applied_by == JO
    assert world.timeline("scr") == [("Applied", JO)]


def test_a_change_makes_the_next_generation(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)
    scr_document["spec"]["assemblyTimeout"] = "45m"

    status, body = world.call("PUT", SCR, scr_document, who=KIM)

    assert (status, body["result"], body["generation"]) == (200, "configured", 2)
    assert world.store.platform("scr").applied_by == KIM


@pytest.mark.parametrize("before", [False, True])
def test_a_dry_run_tells_and_changes_nothing(world: World, scr_document: dict[str, Any], before: bool) -> None:
    if before:
        world.applied(parse(scr_document).dump())
        scr_document["spec"]["assemblyTimeout"] = "45m"

    status, body = world.call("PUT", SCR, scr_document, dryRun="true")

    expected = ("configured", 2) if before else ("created", 1)
    assert (status, (body["result"], body["generation"]), body["dryRun"]) == (200, expected, True)
    found = world.store.find_platform("scr")
    assert (found.generation if found else None) == (1 if before else None)
    assert (world.outside.adopted, world.outside.nudged) == ([], [])


def test_an_invalid_document_is_refused_with_every_problem(world: World, scr_document: dict[str, Any]) -> None:
    staging = scr_document["spec"]["environments"]["staging"]
    staging["waves"][0]["services"][0]["timeout"] = "soon"
    staging["color"] = "red"

    status, body = world.call("PUT", SCR, scr_document)

    paths = sorted(problem["path"] for problem in body["error"]["problems"])
    assert (status, body["error"]["code"]) == (422, "InvalidDocument")
    assert paths == ["spec.environments.staging.color", "spec.environments.staging.waves.0.services.0.timeout"]
    assert world.store.find_platform("scr") is None


def test_what_aws_lacks_is_refused_and_nothing_changes(world: World, scr_document: dict[str, Any]) -> None:
    world.outside.problems = [("spec.environments.staging.cluster", "there is no ECS cluster 'scr-staging'")]

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["code"]) == (422, "VerificationFailed")
    assert body["error"]["problems"] == [
        {"path": "spec.environments.staging.cluster", "message": "there is no ECS cluster 'scr-staging'"}
    ]
    assert (world.store.find_platform("scr"), world.outside.adopted) == (None, [])


HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry-run", "apply"])
@pytest.mark.parametrize(
    ("repository", "advice"),
    [
        (f"{HOST}/scr-api", "scr-api"),
        (f"{HOST}/team/scr-api", "team/scr-api"),
        (f"{HOST}.cn/scr-api", "scr-api"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/scr-api", "scr-api"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws/scr-api", "scr-api"),
        ("1234.dkr.ecr.eu-west-1.amazonaws.com/scr-api", "scr-api"),
        ("public.ecr.aws/a1b2c3/scr-api", "a1b2c3/scr-api"),
        (HOST, "scr-api"),
    ],
)
def test_a_repository_with_its_registry_is_refused_because_no_push_would_ever_match_it(
    world: World, scr_document: dict[str, Any], repository: str, advice: str, dry_run: bool
) -> None:
    scr_document["spec"]["components"]["api"]["repository"] = repository

    status, body = world.call("PUT", SCR, scr_document, **({"dryRun": "true"} if dry_run else {}))

    assert (status, body["error"]["code"]) == (422, "InvalidDocument")
    (problem,) = body["error"]["problems"]
    assert problem["path"] == "spec.components.api.repository"
    assert problem["message"].endswith(f"write the repository's name alone: {advice}")
    assert (world.store.find_platform("scr"), world.outside.adopted) == (None, [])


@pytest.mark.parametrize("repository", ["docker.io/library/api", "ecr-public/api", "dkr.ecr/api", "team.api/web"])
def test_a_repository_whose_name_has_dots_is_no_registry(
    world: World, scr_document: dict[str, Any], repository: str
) -> None:
    scr_document["spec"]["components"]["api"]["repository"] = repository

    assert world.call("PUT", SCR, scr_document)[0] == 200


@refused_documents.each
def test_a_document_that_apply_refuses_today_is_still_read(
    world: World, scr_document: dict[str, Any], refuse: refused_documents.Change
) -> None:
    stored = refused_documents.stored(scr_document, refuse)
    world.applied(stored)

    status, body = world.call("GET", SCR)

    assert status == 200, body
    for path in ("environments/staging", "environments/staging/explain", "releases", "document"):
        assert world.call("GET", f"{SCR}/{path}")[0] == 200, path
    assert world.call("PUT", SCR, stored)[0] == 422


SEMVER_ONLY = r"(?P<version>v[0-9]+\.[0-9]+\.[0-9]+)"


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry-run", "apply"])
def test_a_pattern_that_only_semver_tags_match_is_refused_because_no_tag_could_be_a_release(
    world: World, scr_document: dict[str, Any], dry_run: bool
) -> None:
    scr_document["spec"]["tagPattern"] = SEMVER_ONLY

    status, body = world.call("PUT", SCR, scr_document, **({"dryRun": "true"} if dry_run else {}))

    assert (status, [problem["path"] for problem in body["error"]["problems"]]) == (422, ["spec.tagPattern"])
    assert (world.store.find_platform("scr"), world.outside.adopted) == (None, [])


def test_a_calver_platform_in_use_is_warned_and_applied(world: World, scr_document: dict[str, Any]) -> None:
    """v2024.09.3 is a release of it; v2024.10.0 will not be one."""
    scr_document["spec"]["tagPattern"] = SEMVER_ONLY
    image = Image(digest=make.digest("a"), tag="v2024.09.3", first_seen_at=make.AT)
    world.put(make.release("v2024.09.3", components={"api": image}))

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["result"]) == (200, "created")
    ((path, message),) = [(item["path"], item["message"]) for item in body["warnings"]]
    assert path == "spec.tagPattern"
    assert "tags such as v2024.09.3 are versions" in message


def test_most_documents_have_no_warnings(world: World, scr_document: dict[str, Any]) -> None:
    assert world.call("PUT", SCR, scr_document)[1]["warnings"] == []


def test_the_path_and_the_document_name_the_same_platform(world: World, scr_document: dict[str, Any]) -> None:
    status, body = world.call("PUT", "/v1/platforms/other", scr_document)

    assert (status, body["error"]["problems"][0]["path"]) == (422, "metadata.name")


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_document(world: World, body: Any) -> None:
    assert world.call("PUT", SCR, body)[0] == 422


def test_a_huge_document_is_refused(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["movingTags"] = ["x" * 1000] * 300

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, "bytes" in body["error"]["message"]) == (422, True)


def test_an_environment_can_not_leave_while_it_is_being_changed(world: World, scr_document: dict[str, Any]) -> None:
    world.applied(parse(scr_document).dump())
    world.put(make.state())
    environments = scr_document["spec"]["environments"]
    environments["elsewhere"] = environments.pop("staging")
    environments["production"]["promoteFrom"] = "elsewhere"

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["code"]) == (409, "Refused")
    assert "ferryman abort staging" in body["error"]["message"]


def test_an_environment_leaves_only_when_that_is_said(world: World, scr_document: dict[str, Any]) -> None:
    environments = scr_document["spec"]["environments"]
    service = {"name": "api", "component": "api", "baseTaskDefinition": "scr-api-preview"}
    environments["preview"] = {"cluster": "scr-preview", "waves": [{"name": "all", "services": [service]}]}
    world.applied(parse(scr_document).dump())
    del environments["preview"]

    refused = world.call("PUT", SCR, scr_document, who=ADMIN)
    assert (refused[0], world.store.platform("scr").generation) == (409, 1)
    assert refused[1]["error"]["message"] == (
        "the document no longer has the environment preview. To take it out of Ferryman, apply with `--prune`: nothing "
        "changes in ECS, but Ferryman deploys nothing there any more"
    )

    status, body = world.call("PUT", SCR, scr_document, who=ADMIN, prune="true")
    assert (status, body["result"], body["generation"]) == (200, "configured", 2)
    assert [item["path"] for item in body["fields"]] == ["spec.environments.preview"]


def test_the_answer_lists_what_changes_and_what_starts(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["triggers"] = ["manual"]
    world.applied(parse(scr_document).dump())
    world.put(make.release("3f9c2ab"))
    world.put(make.state(active=None))
    scr_document["spec"]["environments"]["staging"]["triggers"] = ["push", "manual"]

    for dry in ("true", "false"):
        body = world.call("PUT", SCR, scr_document, dryRun=dry)[1]
        assert body["fields"] == [
            {
                "path": "spec.environments.staging.triggers",
                "before": "manual",
                "after": "push, manual",
                "loosens": False,
            }
        ]
        assert body["starts"] == [{"environment": "staging", "version": "3f9c2ab"}]

    again = world.call("PUT", SCR, scr_document)[1]
    assert (again["result"], again["fields"], again["starts"]) == ("unchanged", [], [])


def test_two_people_apply_at_once(world: World, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    world.applied(parse(scr_document).dump())
    scr_document["spec"]["assemblyTimeout"] = "45m"

    def somebody_is_faster(platform: Any) -> None:
        before = world.store.platform("scr")
        world.store.write(Save(before.but(generation=2, applied_by=KIM)))

    monkeypatch.setattr(world.outside, "adopt", somebody_is_faster)
    status, body = world.call("PUT", SCR, scr_document)

    assert (status, "at the same time" in body["error"]["message"]) == (409, True)
    assert world.store.platform("scr").applied_by == KIM


def test_a_nudge_that_fails_does_not_fail_the_apply(world: World, scr_document: dict[str, Any]) -> None:
    world.outside.down = True

    assert world.call("PUT", SCR, scr_document)[0] == 200


def test_the_document_can_be_read_back(world: World, scr_document: dict[str, Any]) -> None:
    world.call("PUT", SCR, scr_document)

    _, body = world.call("GET", f"{SCR}/document")

    assert parse(body["document"]) == parse(scr_document)


AT_SERVICE = "spec.environments.staging.waves.0.services.0"


@pytest.mark.parametrize("again", [False, True], ids=["first", "unchanged"])
def test_apply_lists_the_containers_that_change_besides(
    world: World, scr_document: dict[str, Any], again: bool
) -> None:
    if again:
        world.call("PUT", SCR, scr_document)
    world.outside.notes = [(AT_SERVICE, "besides 'api', also 'worker' changes, since it uses the same repository")]

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["result"]) == (200, "unchanged" if again else "created")
    assert body["notes"] == [{"path": AT_SERVICE, "message": world.outside.notes[0][1]}]


def test_an_unchanged_document_is_applied_although_aws_does_not_answer(
    world: World, scr_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.call("PUT", SCR, scr_document)

    def down(_: Platform) -> Findings:
        raise Unavailable("no answer")

    monkeypatch.setattr(world.outside, "verify", down)
    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["result"], body["notes"]) == (200, "unchanged", [])


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry-run", "apply"])
@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        pytest.param({"containers": [f"c{n}" for n in range(11)]}, "containers", "more than 10 containers", id="many"),
        pytest.param({"containers": ["a", "b" * 256]}, "containers.1", "not the name of a container", id="long"),
        pytest.param({"containers": ["wörker"]}, "containers.0", "not the name of a container", id="letters"),
        pytest.param({"containers": ["a", "a"]}, "containers.1", "'a' appears twice", id="twice"),
        pytest.param(
            {"additionalComponents": [{"component": "api"}]},
            "additionalComponents.0.component",
            "'api' is already a component of this service",
            id="its-own-component",
        ),
        pytest.param(
            {"containers": ["a"], "additionalComponents": [{"component": "web", "containers": ["a"]}]},
            "additionalComponents.0.containers.0",
            "container 'a' is listed for another component, too",
            id="one-container-for-two",
        ),
    ],
)
def test_containers_that_no_task_definition_has_are_refused_and_are_still_read_where_they_are_stored(
    world: World, scr_document: dict[str, Any], fields: dict[str, Any], path: str, words: str, dry_run: bool
) -> None:
    scr_document["spec"]["environments"]["staging"]["waves"][0]["services"][0].update(fields)

    status, body = world.call("PUT", SCR, scr_document, **({"dryRun": "true"} if dry_run else {}))

    assert (status, body["error"]["code"]) == (422, "InvalidDocument")
    assert body["error"]["problems"][0]["path"] == f"{AT_SERVICE}.{path}"
    assert words in body["error"]["problems"][0]["message"]
    assert parse(scr_document).environment("staging").services[0].component == "api"


def test_more_additional_components_than_a_task_definition_has_containers_are_refused(
    world: World, scr_document: dict[str, Any]
) -> None:
    names = [f"c{number}" for number in range(10)]
    scr_document["spec"]["components"] |= {name: {"repository": name} for name in names}
    service = scr_document["spec"]["environments"]["staging"]["waves"][0]["services"][0]
    service["additionalComponents"] = [{"component": name} for name in names]

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["problems"][0]["path"]) == (422, f"{AT_SERVICE}.additionalComponents")


def test_a_list_of_the_migration_is_bounded_too(world: World, scr_document: dict[str, Any]) -> None:
    scr_document["spec"]["environments"]["staging"]["migration"]["containers"] = ["a", "a"]

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["problems"][0]["path"]) == (422, "spec.environments.staging.migration.containers.1")


SESSION = "arn:aws:sts::123456789012:assumed-role/Admin/grace"


def with_approver(document: dict[str, Any], **policy: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    grace = {"name": "Grace", "arn": SESSION}
    changed["spec"]["environments"]["production"]["approval"] = {"approvers": [grace], **policy}
    return changed


class TestApprovers:
    def test_who_proves_to_be_nobody_is_refused_and_nothing_changes(
        self, world: World, scr_document: dict[str, Any]
    ) -> None:
        status, body = world.call("PUT", SCR, with_approver(scr_document))

        assert (status, body["error"]["code"]) == (422, "InvalidDocument")
        (problem,) = body["error"]["problems"]
        assert problem["path"] == "spec.environments.production.approval.approvers.0.arn"
        assert "Whoever assumes a role chooses the session's name" in problem["message"]
        assert (world.store.find_platform("scr"), world.outside.adopted) == (None, [])

    def test_a_stored_document_is_taken_again_and_its_approvers_are_reported(
        self, world: World, scr_document: dict[str, Any]
    ) -> None:
        document = with_approver(scr_document)
        world.applied(document)
        status, body = world.call("PUT", SCR, document)
        assert (status, body["result"]) == (200, "unchanged")
        assert [told["path"] for told in body["warnings"]] == ["spec.environments.production.approval.approvers.0.arn"]

        body = world.call("POST", f"{SCR}/environments/production/verify", {})[1]
        assert (body["ok"], len(body["problems"])) == (False, 1)
        notices = world.call("GET", f"{SCR}/environments/production")[1]["notices"]
        assert [(notice["type"], SESSION in notice["message"]) for notice in notices] == [("ApproverUnproved", True)]
        assert world.call("GET", f"{SCR}/environments/staging")[1]["notices"] == []

    def test_unverified_votes_of_several_are_warned_of(self, world: World, scr_document: dict[str, Any]) -> None:
        changed = with_approver(scr_document, approvers=[], allowUnverified=True, required=2)
        body = world.call("PUT", SCR, changed)[1]
        assert "one visitor can type several names" in str(body["warnings"])


@pytest.mark.parametrize("before", [False, True], ids=["new", "stored-before"])
def test_a_document_that_sends_a_secret_elsewhere_is_refused(
    world: World, scr_document: dict[str, Any], before: bool
) -> None:
    """Also the one that an older operator took, so that people hear of it."""
    scr_document["spec"]["github"] = {
        "repository": "a/b",
        "apiUrl": "https://git.example/api/v3",
        "tokenSecretArn": arn("token"),
    }
    if before:
        world.applied(parse(scr_document).dump())
    told = world.store.find_platform("scr")

    status, body = world.call("PUT", SCR, scr_document)

    assert (status, body["error"]["problems"][0]["path"]) == (422, "spec.github.apiUrl")
    assert "git.example is not a host of GitHub" in body["error"]["problems"][0]["message"]
    assert world.store.find_platform("scr") == told
    assert (world.outside.adopted, world.outside.nudged) == ([], [])
