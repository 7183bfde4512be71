"""Rows that have GitHub show a deployment or make its release."""

import logging
from typing import Any

import httpx
import pytest

from ferryman.contracts import NotifyOutput
from ferryman.messages import github as messages_github
from ferryman.records import Phase
from ferryman.records.writes import Save
from unit import asked
from unit.builders import AT
from unit.fakes.dynamodb import FakeDynamoDb
from unit.fakes.github import SHA, TOKEN, FakeGitHub
from unit.notify_world import World


def on_github(world: World, **changes: Any) -> None:
    world.ask()
    deployment = world.store.deployment("scr", "production", asked.ID).but(version="abc1234", **changes)
    world.store.write(Save(deployment), *messages_github.for_change(deployment, world.parsed, AT, "ended"))


def test_github_is_shown_the_deployment(world: World, run: Any, github: FakeGitHub) -> None:
    on_github(world, phase=Phase.SUCCEEDED)
    assert run().sent == 1
    assert [(item["sha"], item["state"]) for item in github.statuses] == [(SHA, "success")]


def test_an_unknown_commit_is_given_up_quietly(world: World, run: Any, github: FakeGitHub) -> None:
    github.commits = {}
    on_github(world, phase=Phase.SUCCEEDED)
    assert run() == NotifyOutput()
    row = world.row("github-ended", "github")
    assert (row.gave_up, row.last_error) == (True, "abc1234 is not a commit of https://github.com/scr-platform/scr")
    assert (world.counted, world.store.timeline(asked.ID)) == ([], [])


def test_github_down_is_tried_again_then_seen(
    world: World, run: Any, github: FakeGitHub, dynamodb: FakeDynamoDb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    on_github(world, phase=Phase.SUCCEEDED)
    github.always = lambda request: httpx.Response(500)
    for _ in range(12):
        run()
        world.clock.forward(hours=1, seconds=1)
    (told,) = world.store.timeline(asked.ID)
    assert told.message == "gave up on the message `github-ended` to github after 10 attempts: GitHub answered 500"
    assert world.store.deployment("scr", "production", asked.ID).phase is Phase.SUCCEEDED
    assert TOKEN not in str(dynamodb.items) + caplog.text


def test_a_release_that_github_did_not_take_is_made_hours_later(world: World, run: Any, github: FakeGitHub) -> None:
    world.ask(listed=False)
    deployment = world.store.deployment("scr", "production", asked.ID)
    deployment = deployment.but(version="abc1234", tag="v1.0.0", phase=Phase.SUCCEEDED)
    world.store.write(Save(deployment), messages_github.for_release(deployment, AT))
    github.always = lambda request: httpx.Response(503)
    for _ in range(5):
        run()
        world.clock.forward(hours=1)
    github.always = None
    run()
    assert list(github.releases) == ["v1.0.0"]
    done = world.store.deployment("scr", "production", asked.ID).publication
    assert done is not None
    assert done.status == "Published"
    assert world.row("github-release", "github").sent_at is not None


def test_a_release_that_no_try_can_help_is_not_tried_for_hours(world: World, run: Any, github: FakeGitHub) -> None:
    world.ask(listed=False)
    deployment = world.store.deployment("scr", "production", asked.ID)
    deployment = deployment.but(version="abc1234", tag="v1.0.0", phase=Phase.SUCCEEDED)
    world.store.write(Save(deployment), messages_github.for_release(deployment, AT))
    github.commits = {}
    run()
    assert world.row("github-release", "github").gave_up
    done = world.store.deployment("scr", "production", asked.ID).publication
    assert done is not None
    assert "is not a commit of" in done.message
