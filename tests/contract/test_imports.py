"""Each handler imports only what its step needs, because every import makes each cold start slower.

`MAY_LOAD` lists it for each function. A room ("records") allows all of its modules, a dotted name ("clients.ecs") one
module. `make bench AGAINST=<commit>` compares the cold imports of two commits, and `make bench ARGS=--lines` counts the
source lines that each handler loads.
"""

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from contract.machine import ROOT
from ferryman_local.bench.loaded import Loaded, handlers, loaded

EVERY = """
    clients.aws_errors clients.aws_types errors ids records runtime store.bounds store.deployments store.items
    store.keys store.pointers store.table store.transactions
"""
TURN = "decisions.deployment_steps decisions.step_turn decisions.wave_order"
"""Whether a step may begin."""
STEP = f"{EVERY} {TURN} contracts messages.timeline store.logs store.step_writer"
"""For steps that write into the record of a deployment under its claim."""
SMALL = {"arns", "durations", "effects", "lazy_model", "suggestions", "text"}
"""Modules of a few lines that every room may use."""
APPROVAL = """
    approvals.lifecycle approvals.notifications clients.stepfunctions decisions.approval_rules
    decisions.approval_in_words decisions.changes_in_words decisions.database_command decisions.migration_attempts
    decisions.voters messages.approval messages.approval_command messages.github messages.outbox store.documents
"""
"""For ending an approval and notifying people."""

MAY_LOAD = {
    "admit_deployment": f"""{EVERY} {TURN} clients.image_index contracts clients.ecr clients.image_scans
        decisions.admission decisions.approval_needed decisions.database_command decisions.freeze_windows
        decisions.migration_attempts decisions.promotion_gate decisions.snapshot messages.github messages.outbox
        platform steps.admit_deployment""",
    "begin_deployment": f"""{EVERY} clients.image_index contracts clients.address_filter clients.ecr clients.ecs
        clients.http_client clients.image_labels clients.ssm clients.task_containers clients.task_definitions
        decisions.approval_needed decisions.deployment_steps decisions.image_address decisions.migration_attempts
        decisions.ownership decisions.pinned_images decisions.schema_compatibility messages.timeline platform
        steps.begin_deployment steps.ownership steps.ownership_records steps.plan_images steps.plan_migration
        steps.verify store.capacity store.largest store.sizes""",
    "decide_approval": f"""{EVERY} {APPROVAL} approvals.link_tokens approvals.personal_links
        approvals.record_decision approvals.standing approvals.web approvals.wrong_words clients.nudge clients.pass_on
        clients.secrets clients.ssm contracts decisions.admission decisions.approval_needed decisions.deployment_steps
        decisions.freeze_windows decisions.health decisions.promotion_gate decisions.snapshot messages.timeline
        platform""",
    "finish_deployment": f"""{EVERY} {APPROVAL} contracts decisions.after_outcome decisions.deployment_report
        decisions.deployment_steps decisions.outcome decisions.wave_order messages.database_command messages.deployment
        messages.links messages.timeline platform steps.finish_deployment steps.record_outcome""",
    # No module of a channel: `notify.dispatch` imports it when a message goes there.
    "notify": f"""{EVERY} clients.github.client clients.retry_after clients.ssm contracts decisions.approval_in_words
        decisions.changes_in_words decisions.database_command decisions.migration_attempts decisions.voters
        messages.approval messages.approval_command messages.github messages.outbox messages.timeline
        notify.context notify.delivery notify.destinations notify.digest notify.dispatch notify.errors notify.notify
        notify.pacing platform store.paces""",
    "promote_images": f"""{STEP} clients.image_index clients.ecr steps.promote_images""",
    "publish_release": f"""{EVERY} clients.github clients.retry_after clients.secrets clients.ssm contracts
        messages.github messages.outbox messages.release_notes messages.timeline platform steps.publish_release""",
    "receive_push": f"""{EVERY} clients.image_index clients.ecr clients.nudge messages.outbox messages.release
        messages.timeline platform releases.assembly releases.receive_push releases.recorder releases.semver_tags""",
    "reconcile": f"""{EVERY} clients.image_index {APPROVAL} clients.ecr clients.ecs clients.image_scans
        clients.nudge clients.ssm contracts controller decisions.actions decisions.candidates decisions.conditions
        decisions.decide decisions.deployment_report decisions.deployment_steps decisions.freeze_windows
        decisions.health decisions.hold_end decisions.listing decisions.old_tasks decisions.outcome
        decisions.pending_approval decisions.promotion_gate
        decisions.same_images decisions.snapshot decisions.wave_order messages.environment messages.release
        messages.timeline platform releases.moving_tags releases.relevant""",
    "relay_change": f"""{STEP} clients.task_states decisions.image_address decisions.task_verdict
        clients.container_logs clients.ecs
        clients.stepfunctions clients.target_groups clients.task_protection decisions.migration_attempts
        decisions.rollout_time decisions.rollout_verdict decisions.scale_in_protection decisions.wave_order
        steps.relay_change steps.rollout_health
        steps.task_diagnosis steps.watch_migration steps.watch_rollout store.task_tokens""",
    "request_approval": f"""{STEP} {APPROVAL} access clients.people decisions.requester
        clients.ssm decisions.actions decisions.document_changes decisions.plan_hash decisions.snapshot platform
        steps.gate_values steps.request_approval""",
    "run_migration": f"""{STEP} clients.ecs clients.task_definitions decisions.migration_attempts
        steps.run_migration steps.still_owned""",
    "serve_api": f"""{EVERY} access api clients.access_parameters clients.ecs clients.permission_sets clients.remembered
        clients.sts
        clients.task_containers clients.task_definitions contracts proofs decisions.action_rates
        decisions.approval_in_words
        decisions.approval_needed decisions.candidates decisions.changes_in_words decisions.conditions
        decisions.database_command decisions.deployment_report decisions.deployment_steps decisions.explain
        decisions.freeze_windows decisions.health decisions.image_address decisions.requester decisions.voters
        decisions.migration_attempts decisions.old_tasks decisions.promotion_gate decisions.requests
        decisions.same_images decisions.schema_compatibility decisions.snapshot decisions.sync decisions.wave_order
        decisions.why_not
        messages.environment messages.outbox messages.timeline platform""",
    "slack_actions": f"""{EVERY} {APPROVAL} approvals.link_tokens approvals.record_decision approvals.standing
        approvals.web.context approvals.web.endpoint approvals.web.http approvals.web.origin
        approvals.web.slack_actions approvals.web.slack_payload approvals.web.slack_signing clients.nudge
        clients.retry_after clients.secrets clients.slack clients.ssm contracts decisions.admission
        decisions.approval_needed decisions.freeze_windows decisions.promotion_gate decisions.snapshot
        messages.timeline platform""",
    "smoke_test": f"""{STEP} clients.address_filter clients.http_client steps.smoke_expectations
        steps.smoke_test""",
    "update_service": f"""{STEP} clients.image_index clients.ecr clients.ecs clients.task_definitions
        decisions.action_rates decisions.wave_order steps.paced_actions steps.still_owned steps.update_service
        store.paces""",
    "watch_migration": f"""{STEP} clients.task_states decisions.image_address decisions.task_verdict
        clients.container_logs clients.ecs clients.stepfunctions decisions.migration_attempts
        steps.watch_migration store.task_tokens""",
    "watch_rollout": f"""{STEP} clients.task_states decisions.image_address decisions.task_verdict
        clients.container_logs clients.ecs
        clients.stepfunctions clients.target_groups clients.task_protection decisions.rollout_time
        decisions.rollout_verdict decisions.scale_in_protection decisions.wave_order steps.rollout_health
        steps.task_diagnosis steps.watch_rollout store.task_tokens""",
}

MAY_LOAD_PACKAGES = {"decide_approval": {"jinja2", "markupsafe"}}
"""Third-party packages that not all functions load. `httpx` and `slack_sdk` are imported inside functions."""

WHAT_TO_DO = """
If the step does not need it, do one of these:
- Import what is only a type under `if TYPE_CHECKING:`.
- Move the function that is needed into a module that does not import the rest.
- If the step needs it rarely, import it inside the function that uses it, with a comment that says why.
If the step needs it in most of its runs, add it to MAY_LOAD in {file}.
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Loaded]:
    return loaded(ROOT)


def test_every_function_is_in_the_table() -> None:
    assert sorted(MAY_LOAD) == handlers(ROOT), "MAY_LOAD has one entry for each folder of functions/"


@pytest.mark.parametrize("function", sorted(MAY_LOAD))
def test_a_handler_loads_only_what_its_step_needs(function: str, found: dict[str, Loaded]) -> None:
    modules = found[function].modules
    allowed = {*MAY_LOAD[function].split(), *SMALL}
    assert "ferryman.runtime" in modules, "nothing was found: has the package another name?"
    needless = sorted(name for name in modules if not any(allows(entry, name) for entry in allowed))
    if needless:
        chains = "\n".join(f"  {' → '.join(chain(function, name, modules))}" for name in needless)
        told = WHAT_TO_DO.format(file=Path(__file__).relative_to(ROOT))
        pytest.fail(f"{function} loads at import what MAY_LOAD does not allow:\n{chains}\n{told}", pytrace=False)


@pytest.mark.parametrize("function", sorted(MAY_LOAD))
def test_the_table_allows_nothing_that_is_not_loaded(function: str, found: dict[str, Loaded]) -> None:
    modules = found[function].modules
    unused = [entry for entry in MAY_LOAD[function].split() if not any(within(name, entry) for name in modules)]
    assert not unused, f"{function} does not load {unused} any more: take it out of MAY_LOAD"


@pytest.mark.parametrize("function", sorted(MAY_LOAD))
def test_a_handler_loads_only_the_packages_that_all_need(function: str, found: dict[str, Loaded]) -> None:
    common = frozenset.intersection(*(one.packages for one in found.values()))
    assert {"boto3", "pydantic"} <= common
    assert not {"httpx", "jinja2", "slack_sdk"} & common, "ferryman.runtime must not load what few functions use"
    more = sorted(found[function].packages - common - MAY_LOAD_PACKAGES.get(function, set()))
    assert not more, f"{function} loads {more} at import: import it in the function that uses it"


def allows(entry: str, module: str) -> bool:
    """Whether an entry of the table covers a module; packages above an allowed module come with it."""
    return within(module, entry) or f"ferryman.{entry}".startswith(f"{module}.") or module == "ferryman"


def within(module: str, entry: str) -> bool:
    return f"{module}.".startswith(f"ferryman.{entry}.")


def chain(function: str, wanted: str, modules: Mapping[str, Path]) -> list[str]:
    """Return the shortest way of imports from a handler to a module that it loads."""
    start = f"functions/{function}/app.py"
    before = {start: ""}
    to_visit = deque([start])
    while to_visit:
        module = to_visit.popleft()
        path = modules.get(module, ROOT / start)
        for name in imported(path, modules):
            if name not in before:
                before[name] = module
                to_visit.append(name)
    way = [wanted]
    while way[-1] in before and before[way[-1]]:
        way.append(before[way[-1]])
    return way[::-1]


def imported(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """The modules that a file imports when it is loaded, of those that were loaded: with the packages above them."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                found = [module, *(f"{module}.{alias.name}" for alias in names)]
            case _:
                continue
        for name in found:
            parents = [name[:end] for end in range(len(name)) if name[end] == "."]
            yield from (known for known in [name, *parents] if known in modules)
