"""`ferryman get`: what was applied comes back, and can be applied again."""

import json
from pathlib import Path

from unit.cli.function_url import Run

EXAMPLE = Path(__file__).parents[4] / "examples" / "scr-platform" / "platform.yaml"


def test_what_it_prints_can_be_applied_and_changes_nothing(run: Run) -> None:
    run("apply", "-f", str(EXAMPLE))

    for form in ("yaml", "json"):
        written = run("get", "platform", "scr", "-o", form)
        again = run("apply", "-f", "-", stdin=written.stdout)
        assert (again.exit_code, again.stdout) == (0, "platform/scr unchanged\n")


def test_the_status_says_who_and_what_was_seen(run: Run) -> None:
    run("apply", "-f", str(EXAMPLE))

    whole = json.loads(run("get", "platform", "scr", "-o", "json").stdout)

    assert list(whole) == ["apiVersion", "kind", "metadata", "spec", "status"]
    status = whole["status"]
    assert (status["generation"], status["observedGeneration"]) == (1, 0)
    assert (status["conditions"][0]["type"], status["conditions"][0]["status"]) == ("Ready", "Unknown")
    assert list(status["environments"]) == ["staging", "production"]


def test_as_a_table(run: Run) -> None:
    assert run("get", "platform").stdout == "No platforms yet.\n"
    run("apply", "-f", str(EXAMPLE))

    listed = run("get", "platform").stdout.splitlines()
    shown = run("get", "platform", "scr").stdout

    assert listed[0].split() == ["NAME", "GENERATION", "APPLIED", "BY", "ENVIRONMENTS"]
    assert listed[1].startswith("scr ")
    assert "1 (seen by all environments: 0)" in shown
    assert "Unknown: nobody has looked yet" in shown


def test_an_unknown_platform(run: Run) -> None:
    result = run("get", "platform", "nope", "-o", "yaml")

    assert (result.exit_code, "no platform is named 'nope'" in result.stderr) == (2, True)
