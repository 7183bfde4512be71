"""Corrections of the emulator, so that it behaves as AWS documents wherever Ferryman depends on it.

emulator_process applies them before ministack serves. There is a file for each emulated service; each function corrects
one thing, and its docstring says what AWS does and what the emulator does instead. ministack's version is pinned and
every attribute that is replaced has to exist (private_attributes.py): anything else is refused.

Lambda (lambda_.py): errorType is the exception's class, and the process survives the exception; a function sees only
its own code, its layers and the runtime's packages; code and layers are unpacked once per content; faults and counters
for tests; the endpoint that functions see can be a fault proxy. The worker process is lambda_worker.py.
Function URLs (lambda_urls.py): events have the IAM caller and cookies; a public URL can be opened as it is; OPTIONS
reaches the function. Concurrency (lambda_concurrency.py): the account's limit; what is reserved of it.
CloudFormation (cloudformation.py): what a stack was given for an SSM parameter, and what that held.
ECR (ecr.py): scan findings; download URLs of layers; PutImage checks the digest and refuses a tag that is there
already; immutable tags with exclusions; an image that does not exist is refused; the registry of a token.
Step Functions (stepfunctions.py): StartExecution is idempotent while RUNNING; machine-level TimeoutSeconds; an abort
ends waiting tasks and Maps, and ABORTED stays; Output of Succeed; States.ALL does not catch States.Runtime; the limit
of 256 KiB; transitions are counted. Task tokens (stepfunctions_tokens.py): a failing function behind waitForTaskToken
fails its task at once; a new token per attempt; late answers are TaskTimedOut; timeouts of tokens can be scaled.
A machine's own role must allow it to call a function (machine_roles.py).
Expressions (stepfunctions_expressions.py): conditions are true or false; variables are assigned at once.
ECS, tasks (ecs.py): the process or the Docker engine; a task's file system; clientToken; imageDigest of every
container; CannotPullContainerError; exit code 143 of a stopped task. When a task of a service is healthy
(ecs_deployments.py): its target groups' health checks. What is started and stopped (ecs_scheduler.py) is decided by the
pure state machine in ../service_deployments, which can be followed and stopped (ecs_service_deployments.py).
Scale-in protection of tasks (ecs_protection.py): a deployment waits for old tasks that are protected.
Elastic Load Balancing (elbv2.py): targets are drained for the target group's deregistration delay before a task's
containers are stopped; ELB's default of 300 seconds ends with the last request in flight.
Schedules (scheduler.py): expressions that AWS refuses are refused, in CloudFormation too; schedules are looked at every
second; which schedule invoked a function is known.
Targets of schedules and rules (event_targets.py): ECS tasks are run; limits, managed rules and past dates are refused.
IAM (iam.py): actions of ECS, EventBridge and its Scheduler are checked on AWS's resources, with ecs:cluster; what names
roles needs iam:PassRole. SimulatePrincipalPolicy (iam_simulation.py) answers for each resource, with the condition keys
that it is told. Which statements of its policies allowed a role's requests is kept (permissions.py).
STS (sts.py): the signature of GetCallerIdentity is checked for the root key, too.

What tests and the benchmark see and set in the emulator is control.py.

Not corrected: imagePushedAt has whole seconds; HeartbeatSeconds is not enforced; aborting a parent leaves a nested
execution running; one successful health check is enough (AWS wants HealthyThresholdCount); targets are not checked
again once healthy; DeregisterTargets by hand does not drain.
"""

from pathlib import Path

from ferryman_local.engines.engine import Engine
from ferryman_local.patches import (
    cloudformation,
    ecr,
    ecs,
    ecs_deployments,
    ecs_protection,
    elbv2,
    event_targets,
    iam,
    iam_simulation,
    lambda_,
    lambda_concurrency,
    lambda_urls,
    machine_roles,
    permissions,
    scheduler,
    stepfunctions,
    stepfunctions_expressions,
    sts,
)
from ferryman_local.patches.control import Control
from ferryman_local.patches.private_attributes import check_version


def apply(
    control: Control,
    engine: Engine,
    folder: Path,
    *,
    token_timeout_scale: float,
) -> None:
    """Replace what has to be replaced; raises IncompatibleEmulatorError and leaves nothing served otherwise."""
    check_version()
    lambda_.apply(control, folder, engine.mark)
    lambda_urls.apply()
    lambda_concurrency.apply(control)
    cloudformation.apply()
    stepfunctions.apply(control, token_timeout_scale)
    machine_roles.apply(control)
    stepfunctions_expressions.apply()
    ecr.apply(control)
    ecs.apply(engine)
    elbv2.apply()
    ecs_protection.apply()
    ecs_deployments.apply()
    permissions.apply(control)
    iam.apply()
    iam_simulation.apply()
    sts.apply()
    scheduler.apply()
    event_targets.apply()
