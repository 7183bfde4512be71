"""Whether the account's Lambda concurrency has room for what the public functions reserve. Pure.

Source: the Lambda Developer Guide, "Configuring reserved concurrency": 100 units stay unreserved. New accounts have a
limit of 10 or 50, of which nothing can be reserved.
"""

from collections.abc import Mapping

from ferryman_cli.doctor.checks import Blind, Check, Seen, blind, ok, problem, warning

CONCURRENCY = "concurrency"
RESERVED = {"ApprovalConcurrency": 10, "SlackConcurrency": 5}
"""Parameter of the template → its default."""
_UNRESERVED = 100
"""What AWS keeps for the functions that reserve nothing; in an account with less, all of it."""
_FEWEST_LOOKS = 2
"""What AWS takes as the least for MaximumConcurrency of a queue."""
_SHARE_OF_LOOKS = 5
"""Looks of sweeps take at most a fifth of the account's limit."""
_ASK = (
    "ask AWS for more: `aws service-quotas request-service-quota-increase --service-code lambda "
    "--quota-code L-B99A9384 --desired-value 1000`"
)


def concurrency(settings: Seen, parameters: Mapping[str, str] | None) -> Check:
    """Judge the answer of GetAccountSettings; `parameters` are the stack's, None: there is no stack yet."""
    if isinstance(settings, Blind) or settings is None:
        return blind(CONCURRENCY, settings or Blind(why="Lambda has no settings"))
    limit = int(settings["AccountLimit"]["ConcurrentExecutions"])
    unreserved = int(settings["AccountLimit"]["UnreservedConcurrentExecutions"])
    room = max(0, unreserved - min(_UNRESERVED, limit))
    if parameters is None:
        return _before(limit, room)
    looks = int(parameters.get("SweepConcurrency", 0))
    if looks > max(_FEWEST_LOOKS, limit // _SHARE_OF_LOOKS):
        told = f"sweeps may take {looks} of the account's {limit} concurrent executions, which deployments need, too"
        step = f"Deploy with `--parameter-overrides SweepConcurrency={max(_FEWEST_LOOKS, limit // _SHARE_OF_LOOKS)}`"
        return problem(CONCURRENCY, told, f"{step}, or {_ASK}")
    given = {name: int(parameters[name]) for name in RESERVED if name in parameters}
    if all(given.values()):
        told = ", ".join(f"{name} {value}" for name, value in given.items())
        return ok(CONCURRENCY, f"the public functions reserve their own of {limit} concurrent executions: {told}")
    none = " and ".join(name for name, value in given.items() if not value)
    missing = sum(default for name, default in RESERVED.items() if not given.get(name))
    deploy = f"deploy with `--parameter-overrides {_overrides(RESERVED)}`"
    step = f"{deploy[0].upper()}{deploy[1:]}" if room >= missing else f"{_ASK[0].upper()}{_ASK[1:]}, then {deploy}"
    told = f"{none} is 0: a flood of requests to the public pages could use up all {limit} executions of the account"
    return problem(CONCURRENCY, told, step)


def _before(limit: int, room: int) -> Check:
    wanted = sum(RESERVED.values())
    if room >= wanted:
        return ok(CONCURRENCY, f"{room} of {limit} concurrent executions can be reserved; the stack reserves {wanted}")
    step = f"Deploy with `--parameter-overrides {_overrides(dict.fromkeys(RESERVED, 0))}`, and {_ASK}"
    told = f"the account's limit is {limit}, of which {room} can be reserved; the stack would reserve {wanted} and fail"
    return warning(CONCURRENCY, told, step)


def _overrides(values: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())
