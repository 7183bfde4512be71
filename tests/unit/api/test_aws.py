"""What the API asks of AWS, on clients that behave."""

from typing import Any

from ferryman.api.aws import Aws
from ferryman.api.views.live_services import Definitions
from ferryman.store.table import Store
from unit import builders as make
from unit import operating
from unit.fakes.clock import FakeClock, FakeIds
from unit.fakes.ecr import FakeEcr
from unit.fakes.ecs import FakeEcs
from unit.fakes.secrets import FakeParameters


class TestOutside:
    """The real outside, on clients that behave."""

    def outside(self, store: Store, clock: FakeClock, new_id: FakeIds, **clients: Any) -> Aws:
        return Aws(
            store=store, client=clients.__getitem__, clock=clock, new_id=new_id, account="123456789012",
            region="eu-west-1", nudges_url="", relay_function="",
        )  # fmt: skip

    def test_reads_what_runs_and_what_it_would_be_made_from(
        self, store: Store, clock: FakeClock, new_id: FakeIds
    ) -> None:
        ecs, ecr = FakeEcs(clock), FakeEcr("scr-api", "scr-web")
        live = ecs.new_definition("scr-api", "registry.example/scr-api:old")
        ecs.new_service("scr-api", live)
        outside = self.outside(store, clock, new_id, ecs=ecs, ecr=ecr, ssm=FakeParameters({}, strict=True))

        found, unread = outside.task_definitions(operating.document(), "staging")

        api = found["scr-api"]
        assert api.live is not None
        assert api.base is not None
        assert (api.live["taskDefinitionArn"], api.base["taskDefinitionArn"]) == (live, live)
        assert api.addresses["api"] == "registry.example/scr-api"
        assert (found["scr-web"], unread) == (
            Definitions(None, None, {name: f"registry.example/scr-{name}" for name in ("api", "web")}),
            ["there is no service scr-web"],
        )

    def test_tells_what_a_document_would_own(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        """Without it, `apply` would record nothing, and refuse nothing that belongs to others."""
        ecs, ecr, ssm = FakeEcs(clock), FakeEcr("scr-api", "scr-web"), FakeParameters({})
        ecs.new_service("scr-api", ecs.new_definition("scr-api", "registry.example/scr-api:old"))
        outside = self.outside(store, clock, new_id, ecs=ecs, ecr=ecr, ssm=ssm)

        found = outside.verify(operating.document())

        assert found.claims == outside.claims(operating.document())
        assert "family:scr-api" in {claim.thing for claim in found.claims.environments["staging"].claims}

    def test_says_what_it_could_not_read(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        ecs, ecr = FakeEcs(clock), FakeEcr("scr-api")
        outside = self.outside(store, clock, new_id, ecs=ecs, ecr=ecr, ssm=FakeParameters({}, strict=True))

        found, unread = outside.task_definitions(operating.document(), "staging")

        assert "web" not in found["scr-web"].addresses
        assert any("'scr-web'" in problem for problem in unread)

    def test_reads_labels_and_scans(self, store: Store, clock: FakeClock, new_id: FakeIds) -> None:
        ecr = FakeEcr("scr-api", "scr-web")
        outside = self.outside(store, clock, new_id, ecr=ecr)

        found = outside.labels(operating.document(), "api", make.digest("a"))

        assert (found.found, "no longer has image" in found.reason) == ({}, True)
        assert {scan.status for scan in outside.scans(operating.document(), "staging", make.release())} == {"Missing"}

    def test_only_scans_of_the_architecture_that_the_services_run_are_asked_for(
        self, store: Store, clock: FakeClock, new_id: FakeIds
    ) -> None:
        """Nobody runs arm64 here, so that nobody has to wait for its scan."""
        ecs, ecr = FakeEcs(clock), FakeEcr("scr-api", "scr-web")
        fargate = {"requiresCompatibilities": ["FARGATE"]}
        ecs.new_service("scr-api", ecs.new_definition("scr-api", "registry.example/scr-api:old", **fargate))
        outside = self.outside(store, clock, new_id, ecs=ecs, ecr=ecr, ssm=FakeParameters({}, strict=True))
        children = [("sha256:amd", "linux", "amd64"), ("sha256:arm", "linux", "arm64")]
        index = ecr.push_index("scr-api", "v", children)
        ecr.scans["scr-api", "sha256:amd"] = {"imageScanStatus": {"status": "COMPLETE"}}
        release = make.release(components={"api": make.release().components["api"].but(digest=index)})

        (scan,) = outside.scans(operating.document(), "staging", release)

        assert (scan.component, scan.status) == ("api", "Complete")
