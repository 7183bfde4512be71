"""The functions of the `deploy` machine, in its order, as the flow tests let them fail one after the other."""

from ferryman.decisions.deployment_steps import STEPS as TABLE
from ferryman.decisions.deployment_steps import WITHOUT_A_STEP


def logical(function: str) -> str:
    """Return a function's name in template.yaml and in the machine: `SmokeTest` of `smoke_test`."""
    return function.title().replace("_", "")


STEPS = tuple(
    logical(function)
    for function in dict.fromkeys([*(function for step in TABLE for function in step.functions), *WITHOUT_A_STEP])
)

OF_PRODUCTION = ("RequestApproval", "PromoteImages", "PublishRelease")
"""They run where people approve, tags move and GitHub is told: see test_production_failing_lambdas."""

_OF_STAGING = tuple(name for name in STEPS if name not in OF_PRODUCTION)
_FIRST_CHANGE = _OF_STAGING.index("UpdateService")
BEFORE, AFTERWARDS = _OF_STAGING[:_FIRST_CHANGE], _OF_STAGING[_FIRST_CHANGE:]
"""Those that run in a staging environment with a migration: before services change, and from then on."""
