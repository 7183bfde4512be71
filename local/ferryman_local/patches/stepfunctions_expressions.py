"""Corrections of the emulator's JSONata fields: conditions of choices, and the order in which variables are assigned.

An expression without a value fails its state here as it does in AWS, without a correction.
Sources: the Developer Guide of Step Functions ("Choice workflow state", "Passing data between states with variables").
"""

from typing import Any

from ferryman_local.patches.private_attributes import module, replace


def apply() -> None:
    """Put every correction of this file in place."""
    states = module("services.stepfunctions")
    replace(states, "_evaluate_jsonata_choice_rule", lambda original: condition(states))
    replace(states, "_apply_state_assign", assign)


def condition(states: Any) -> Any:
    """A condition is true or false; any other value fails the execution. The emulator takes it for one of both."""

    def holds(rule: dict[str, Any], data: Any, ctx: Any) -> bool:
        found = states._apply_jsonata_template(rule["Condition"], data, ctx)
        if not isinstance(found, bool):
            raise states._ExecutionError(
                "States.QueryEvaluationError",
                f"The JSONata expression specified for the field 'Condition' returned {found!r} instead of a boolean.",
            )
        return found

    return holds


def assign(original: Any) -> Any:
    """All expressions of an Assign see the variables as they were; the emulator shows them what was assigned before."""

    def set_all(state: dict[str, Any], data: Any, ctx: Any, result: Any = None, error_output: Any = None) -> None:
        if ctx is None or not isinstance(state.get("Assign"), dict):
            original(state, data, ctx, result=result, error_output=error_output)
            return
        before = ctx.get("variables", {})
        assigned: dict[str, Any] = {}
        for name, template in state["Assign"].items():
            seen = {**ctx, "variables": dict(before)}
            original({**state, "Assign": {name: template}}, data, seen, result=result, error_output=error_output)
            assigned |= {name: seen["variables"][name]} if name in seen["variables"] else {}
        ctx.setdefault("variables", {}).update(assigned)

    return set_all
