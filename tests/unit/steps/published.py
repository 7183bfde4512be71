"""A deployment of a semver tag that succeeded: what publish_release and finish_deployment meet."""

import json
from pathlib import Path
from typing import Any

from ferryman.contracts import PublishReleaseInput
from ferryman.records import (
    AppliedPlatform,
    Deployment,
    Phase,
)
from ferryman.records.writes import Save
from ferryman.store.table import Store
from unit import builders as make
from unit.fakes.github import REPOSITORY
from unit.fakes.secrets import arn

ROOT = Path(__file__).parents[3]
EVENT = PublishReleaseInput.model_validate(json.loads((ROOT / "events/publish_release/tagged.json").read_text()))
PROJECT = {"repository": REPOSITORY, "tokenSecretArn": arn("token")}


def deployment(**changes: Any) -> Deployment:
    about = {
        "id": EVENT.deployment,
        "environment": "production",
        "fence": EVENT.fence,
        "tag": "v1.0.0",
        "phase": Phase.SUCCEEDED,
        "ended_at": make.AT,
        "approved_by": ["Ada Lovelace"],
    }
    return make.deployment(**{**about, **changes})


def apply(store: Store, document: dict[str, Any], github: dict[str, Any] | None) -> None:
    document["spec"]["github"] = github
    before = store.find_platform("scr")
    store.write(
        Save(
            AppliedPlatform(
                name="scr", generation=1, document=document, applied_by="anna", applied_at=make.AT,
                rev=before.rev if before else 0,
            )
        )
    )  # fmt: skip


def put(store: Store, **changes: Any) -> None:
    store.write(Save(deployment(**changes)))
