"""The machines, today's and the last released ones, against the models and errors of the package."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from contract.machine import LITERAL, ROOT, State, groups, load, snake, states, targets
from ferryman import contracts, errors
from ferryman.errors import TransientError

TODAY = sorted((ROOT / "statemachines").glob("*.asl.json"))
DEPLOY = ROOT / "statemachines" / "deploy.asl.json"
RELEASED = sorted((Path(__file__).parent / "released").glob("*/*.asl.json"))
MACHINES = [pytest.param(path, id=f"{path.parent.name}-{path.name.split('.')[0]}") for path in [*TODAY, *RELEASED]]

LAMBDA_ERRORS = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    # Out of memory and time-outs arrive under these two names.
    "Lambda.Unknown",
    "Sandbox.Timedout",
}
# What a step's answer looks like where the machine reads it: watchers answer through their token.
ANSWERS = {
    "request_approval": contracts.ApprovalVerdict,
    "watch_migration": contracts.MigrationVerdict,
    "watch_rollout": contracts.RolloutVerdict,
}
FLAG = re.compile(r"\$states\.input\.(\w+) = true")
LONGEST_ROLLOUT = 12 * 3600
"""Seconds: what the document allows for one rollout or migration."""
LONGEST_MIGRATIONS = 24 * 3600
"""Seconds: what the document allows for all migrations of an environment together."""
LONGEST_APPROVAL = 7 * 86_400
"""Seconds: what the document allows for one approval."""


def tasks(*paths: Path) -> list[State]:
    return [state for path in paths for state in states(load(path)) if state.lambda_task]


def classes(kind: type[Exception]) -> set[str]:
    return {cls.__name__ for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, kind)} - {
        kind.__name__
    }


def model(state: State, suffix: str) -> Any:
    name = "".join(part.title() for part in snake(state.function).split("_")) + suffix
    return getattr(contracts, name)


def verdicts(model: Any) -> set[str]:
    return set(get_args(model.model_fields["verdict"].annotation))


@pytest.mark.parametrize("path", MACHINES)
def test_payload_keys_are_the_models_fields(path: Path) -> None:
    for state in tasks(path):
        fields = model(state, "Input").model_fields
        known = {field.alias or name for name, field in fields.items()}
        required = {field.alias or name for name, field in fields.items() if field.is_required()}
        keys = set(state.payload)
        # A released machine may lack keys that came later (they have defaults) but never one that is required.
        assert required <= keys, f"{state.name} does not pass {required - keys}"
        if path in TODAY:
            assert keys == known, f"{state.name}: {keys ^ known} stands on one side only"


@pytest.mark.parametrize("path", MACHINES)
def test_what_the_machine_reads_from_an_answer_is_in_the_model(path: Path) -> None:
    machine = load(path)
    read = set(re.findall(r"\$states\.input\.(\w+)|\$states\.result\.Payload\.(\w+)", path.read_text()))
    names = {a or b for a, b in read} - {"platform", "environment", "deployment", "fence", "services", "verdicts"}
    # What a catcher hands to the next state is read from an error.
    caught = [catch.get("Output", {}) for state in states(machine) for catch in state.data.get("Catch", [])]
    names -= {name for output in caught for name in output}
    outputs = [getattr(contracts, name) for name in dir(contracts) if name.endswith(("Output", "Verdict"))]
    known = {field.alias or name for output in outputs for name, field in output.model_fields.items()}
    assert names <= known, f"nobody answers {names - known}"
    assert machine["QueryLanguage"] == "JSONata"


@pytest.mark.parametrize("path", MACHINES)
def test_choices_compare_with_verdicts_that_exist(path: Path) -> None:
    possible = {"back", "forward"}
    for name in dir(contracts):
        if name.endswith(("Output", "Verdict")) and "verdict" in getattr(contracts, name).model_fields:
            possible |= verdicts(getattr(contracts, name))
    for state in states(load(path)):
        for choice in state.data.get("Choices", []):
            literals = set(LITERAL.findall(choice["Condition"]))
            assert literals <= possible, f"{state.name} compares with {literals - possible}, which no step answers"


def test_each_choice_after_a_step_knows_that_steps_verdicts() -> None:
    for state in tasks(*TODAY):
        following = state.group.get(state.data.get("Next", ""))
        if not following or following["Type"] != "Choice":
            continue
        answer = ANSWERS.get(snake(state.function)) or model(state, "Output")
        literals = {word for choice in following["Choices"] for word in LITERAL.findall(choice["Condition"])}
        flags = {flag for choice in following["Choices"] for flag in FLAG.findall(choice["Condition"])}
        assert literals or flags, f"{state.data['Next']} decides on nothing that {state.name} answers"
        assert flags <= {field.alias or name for name, field in answer.model_fields.items()}
        assert not literals or literals <= verdicts(answer), f"{state.name} never answers one of {literals}"
        assert "Default" in following, f"{state.data['Next']} has no way out for another verdict"


@pytest.mark.parametrize("path", MACHINES)
def test_error_names_are_classes_or_lambdas_own(path: Path) -> None:
    known = classes(TransientError) | LAMBDA_ERRORS | {"States.ALL", "States.Timeout", errors.Paced.__name__}
    for state in states(load(path)):
        for block in [*state.data.get("Retry", []), *state.data.get("Catch", [])]:
            unknown = set(block["ErrorEquals"]) - known
            assert not unknown, f"{state.name} names {unknown}, which nothing raises"


# Retries count per visit of a state, and a watcher is visited for as long as a rollout takes.
FOR_WATCHERS = {"MaxAttempts": 20, "MaxDelaySeconds": 30}


def test_every_step_retries_every_transient_error_with_the_one_standard_block() -> None:
    standard = next(state.data["Retry"][0] for state in tasks(*TODAY) if not state.waits)
    for state in tasks(*TODAY):
        retries = list(state.data["Retry"])
        watches = state.waits and state.name != "RequestApproval"
        if watches:
            poll = retries.pop(0)
            assert poll["ErrorEquals"] == ["States.Timeout"], f"{state.name}: the poll comes first"
            assert state.data["TimeoutSeconds"] <= 60
            # The poll must outlive the longest deadline, or a long rollout would end as an error.
            polled = poll["MaxAttempts"] * (state.data["TimeoutSeconds"] + poll["IntervalSeconds"])
            assert polled >= 2 * LONGEST_ROLLOUT
        assert len(retries) == 1
        assert set(retries[0]["ErrorEquals"]) == classes(TransientError) | LAMBDA_ERRORS, state.name
        assert retries[0] == ({**standard, **FOR_WATCHERS} if watches else standard), state.name


def test_an_approval_outlives_what_the_document_allows_and_the_machine_outlives_it() -> None:
    (ask,) = [state for state in tasks(DEPLOY) if state.name == "RequestApproval"]
    assert ask.waits
    # reconcile ends an approval that expired; the step's own time-out is just the backstop.
    assert ask.data["TimeoutSeconds"] > LONGEST_APPROVAL
    assert load(DEPLOY)["TimeoutSeconds"] > ask.data["TimeoutSeconds"] + LONGEST_MIGRATIONS + LONGEST_ROLLOUT


def test_every_machine_runs_one_migration_after_the_other_and_says_so() -> None:
    """What begin_deployment lists is run by name; a machine that does not say that it can is given only one."""
    for path in TODAY:
        found = {state.name: state for state in states(load(path))}
        begin, run, watch = (found[name] for name in ("BeginDeployment", "RunMigration", "WatchMigration"))
        assert contracts.LOOPS_OVER_MIGRATIONS in begin.payload["capabilities"]
        assert "Payload.migrations" in begin.data["Assign"]["migrations"]
        if path != DEPLOY:
            # A person's command is about one database: nothing comes after its task.
            assert run.payload["migration"] == watch.payload["migration"] == "{% $migrations[0] %}"
            assert watch.data["Next"] == "FinishDeployment"
            continue
        assert run.payload["migration"] == watch.payload["migration"] == "{% $migrations[$position] %}"
        # Both ways on (skipped, succeeded) lead to the question whether there are more, and it leads back.
        on = {choice["Next"] for name in ("MigrationStarted", "Migrated") for choice in found[name].data["Choices"]}
        assert on == {"WatchMigration", "MoreMigrations"}
        assert found["MoreMigrations"].data["Choices"][0]["Next"] == "NextMigration"
        assert found["NextMigration"].data["Assign"] == {"position": "{% $position + 1 %}"}
        assert found["NextMigration"].data["Next"] == "RunMigration"
    for path in RELEASED:
        begin = next(state for state in tasks(path) if state.name == "BeginDeployment")
        assert contracts.LOOPS_OVER_MIGRATIONS not in begin.payload.get("capabilities", [])


def test_no_permanent_error_is_retried() -> None:
    permanent = classes(errors.PermanentError)
    for state in tasks(*TODAY):
        for block in state.data["Retry"]:
            assert not permanent & set(block["ErrorEquals"]), state.name


def test_every_step_but_the_last_catches_everything() -> None:
    for state in tasks(*TODAY):
        if state.name == "FinishDeployment":
            continue  # what it can't record, reconcile records (docs/reference/reconcile-rules.md, rule 2)
        assert state.data["Catch"][-1]["ErrorEquals"] == ["States.ALL"], state.name


@pytest.mark.parametrize("path", MACHINES)
def test_targets_exist_and_every_state_is_reachable(path: Path) -> None:
    for group in groups(load(path)):
        seen, todo = set(), [group["StartAt"]]
        while todo:
            name = todo.pop()
            if name not in seen:
                assert name in group["States"], f"{name} does not exist"
                seen.add(name)
                todo += targets(group["States"][name])
        assert seen == set(group["States"]), f"nothing leads to {set(group['States']) - seen}"


@pytest.mark.parametrize("path", TODAY, ids=lambda path: path.name.split(".")[0])
def test_substitutions_match_the_template(path: Path) -> None:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loose)
    resource = f"{path.name.split('.')[0].title()}Machine"
    given = set(template["Resources"][resource]["Properties"]["DefinitionSubstitutions"])
    used = set(re.findall(r"\$\{(\w+)\}", path.read_text()))
    assert given == used


class _Loose(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


_Loose.add_multi_constructor(
    "!", lambda loader, suffix, node: None if isinstance(node, yaml.MappingNode) else str(node.value)
)
