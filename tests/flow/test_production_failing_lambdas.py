"""A Lambda that raises or times out while production is asked, promoted or announced: see test_failing_lambdas."""

from typing import Any

import pytest

from ferryman.records import Phase, step_keys
from flow.faults import FAULTS
from flow.production import Make, Production
from flow.stage import Stage


@pytest.mark.parametrize("fault", ["raises", "times-out", "keeps-timing-out"])
class TestRequestApproval:
    def test_ends_recorded_and_free_or_asks(self, reused: Make, stage: Stage, fault: str) -> None:
        prod = reused()
        before = prod.running
        version = prod.verified()
        stage.aws.lambda_fault("RequestApproval", **FAULTS[fault])
        prod.name_it(version)
        if fault == "times-out":
            deployment = prod.asked(version)
            prod.approve(deployment)
        done = prod.ended(version)
        stage.aws.clear_lambda_faults()
        assert stage.faults_struck("RequestApproval") > 0
        check(prod, version, before, done.phase)
        approval = prod.approval(done)
        if done.phase is Phase.ERRORED and approval is not None:
            assert approval.status != "Pending", "nobody decides about what has ended"


@pytest.mark.parametrize("fault", FAULTS)
class TestPromoteImages:
    def test_ends_recorded_and_free(self, reused: Make, stage: Stage, fault: str) -> None:
        prod = reused()
        before = prod.running
        deployment = prod.asked()
        stage.aws.lambda_fault("PromoteImages", **FAULTS[fault])
        prod.approve(deployment)
        done = prod.ended(deployment.version)
        stage.aws.clear_lambda_faults()
        assert stage.faults_struck("PromoteImages") > 0
        check(prod, deployment.version, before, done.phase)
        if done.phase is Phase.ERRORED:
            digest = prod.digests[before]["api"]
            tag = "production-current"
            stage.nudge(prod.name, "production")
            prod.until(lambda: prod.digest_of("api", tag) in (digest, None), "the tags to go back")


@pytest.mark.parametrize("fault", FAULTS)
class TestPublishRelease:
    def test_the_deployment_has_succeeded_all_the_same(self, reused: Make, stage: Stage, fault: str) -> None:
        prod = reused(github=True)
        deployment = prod.asked()
        stage.aws.lambda_fault("PublishRelease", **FAULTS[fault])
        prod.approve(deployment)
        done = prod.ended(deployment.version)
        assert done.phase is Phase.SUCCEEDED, prod.tell()
        prod.until(lambda: stage.faults_struck("PublishRelease") > 0, "the fault")
        prod.until(
            lambda: all(e["status"] != "RUNNING" for e in stage.executions(prod.name)), "the execution's end", 90
        )
        stage.aws.clear_lambda_faults()
        prod.runs(deployment.version)
        assert prod.state.hold is None
        assert len(prod.deployments(deployment.version)) == 1
        assert list(stage.aws.github.releases).count(str(deployment.tag)) <= 1


def check(prod: Production, version: str, before: str, phase: Phase) -> None:
    """It ended once, is recorded, and what runs is what is said to run."""
    assert phase in (Phase.ERRORED, Phase.SUCCEEDED), prod.tell()
    assert prod.state.active is None
    assert len(prod.deployments(version)) == 1
    now = version if phase is Phase.SUCCEEDED else before
    assert prod.running == now
    prod.runs(now)
    if phase is Phase.ERRORED:
        settled = prod.state.settled[version]
        assert settled.retry_at is not None, "we failed, not the release: it is tried again"


def test_a_crash_between_a_decision_and_its_answer_is_found(reused: Make, stage: Stage) -> None:
    """reconcile, which answers the waiting step, fails just when it is nudged: the sweep finds the decision."""
    prod = reused()
    deployment = prod.asked()
    faults: dict[str, Any] = {"error": "ValueError", "when": "before", "times": 2}
    stage.aws.lambda_fault("Reconcile", **faults)
    before = stage.faults_struck("Reconcile")
    prod.approve(deployment)
    prod.until(lambda: stage.faults_struck("Reconcile") > before, "the fault")
    stage.aws.clear_lambda_faults()
    stage.sweep()
    done = prod.ended(deployment.version)
    assert done.phase is Phase.SUCCEEDED, prod.tell()
    assert done.step(step_keys.APPROVAL) is not None
