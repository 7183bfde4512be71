"""What of a deployment has items of its own: logs; and plan and steps of services where one item can't hold them. Pure.

`store.deployments` takes a deployment apart and puts it together.
"""

from pydantic import AwareDatetime

from ferryman.records.base import Record


class StepLog(Record):
    """The last lines of the container that decided a step; written with the step's end."""

    deployment: str
    step: str
    """The step's key in `Deployment.steps`."""
    lines: list[str]
    at: AwareDatetime


class PlanPart(Record):
    """A piece of a frozen plan, written once, with the deployment that it belongs to."""

    deployment: str
    number: int
    """From 0: the pieces in this order make the text."""
    text: str
    """Of the plan as JSON."""


class SplitStep(Record):
    """One step of one service, written with its deployment, whose `rev` counts for it, too."""

    deployment: str
    key: str
    """As in `Deployment.steps`."""
    text: str
    """Of the `Step` as JSON: a large deployment has hundreds of them, and each step of it reads them all."""
