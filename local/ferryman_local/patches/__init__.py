"""Corrections of the emulator, so that it behaves as AWS documents wherever Ferryman depends on it.

emulator_process applies them before ministack serves. There is a file for each emulated service; each function corrects
one thing, and its docstring says what AWS does and what the emulator does instead. ministack's version is pinned and
every attribute that is replaced has to exist (private_attributes.py): anything else is refused.

Lambda (lambda_.py): errorType is the exception's class, and the process survives the exception; a function sees only
its own code, its layers and the runtime's packages; code and layers are unpacked once per content; faults and counters
for tests; the endpoint that functions see can be a fault proxy. The worker process is lambda_worker.py.
Function URLs (lambda_urls.py): events have the IAM caller and cookies; a public URL can be opened as it is; OPTIONS
reaches the function; reserved concurrency.
ECR (ecr.py): scan findings; download URLs of layers; PutImage checks the digest and refuses a tag that is there
already; immutable tags with exclusions; an image that does not exist is refused; the registry of a token.
Step Functions (stepfunctions.py): StartExecution is idempotent while RUNNING; machine-level TimeoutSeconds; an abort
ends waiting tasks and Maps, and ABORTED stays; Output of Succeed; States.ALL does not catch States.Runtime; the limit
of 256 KiB; transitions are counted. Task tokens (stepfunctions_tokens.py): a failing function behind waitForTaskToken
fails its task at once; a new token per attempt; late answers are TaskTimedOut; timeouts of tokens can be scaled.
Expressions (stepfunctions_expressions.py): conditions are true or false; variables are assigned at once.
ECS, tasks (ecs.py): the process or the Docker engine; a task's file system; clientToken; imageDigest of every
container; CannotPullContainerError; exit code 143 of a stopped task. Deployments (ecs_deployments.py): a deployment
completes when its tasks are healthy, and failing health checks fail it; failed deployments are listed until the next
one begins; an unfinished deployment that is replaced makes room for the next one.
Elastic Load Balancing (elbv2.py): targets are drained for the target group's deregistration delay before a task's
containers are stopped.
Schedules (scheduler.py): expressions that AWS refuses are refused, in CloudFormation too; schedules are looked at every
second; which schedule invoked a function is known.
Targets of schedules and rules (event_targets.py): ECS tasks are run; limits, managed rules and past dates are refused.
IAM (iam.py): actions of ECS, EventBridge and its Scheduler are checked on AWS's resources, with ecs:cluster; what names
roles needs iam:PassRole.
STS (sts.py): the signature of GetCallerIdentity is checked for the root key, too.

What tests and the benchmark see and set in the emulator is control.py.

Not corrected: DescribeServiceDeployments is empty (the operator follows ids in DescribeServices); imagePushedAt has
whole seconds; HeartbeatSeconds is not enforced; aborting a parent leaves a nested execution running; one successful
health check is enough (AWS wants HealthyThresholdCount); targets are not checked again once healthy; a deployment is
COMPLETED when its last target is healthy, while the old ones may still drain (not compared with AWS); DeregisterTargets
by hand does not drain.
"""

from pathlib import Path

from ferryman_local.engines.engine import Engine
from ferryman_local.patches import (
    ecr,
    ecs,
    ecs_deployments,
    elbv2,
    event_targets,
    iam,
    lambda_,
    lambda_urls,
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
    stepfunctions.apply(control, token_timeout_scale)
    stepfunctions_expressions.apply()
    ecr.apply(control)
    ecs.apply(engine)
    elbv2.apply()
    ecs_deployments.apply()
    iam.apply()
    sts.apply()
    scheduler.apply()
    event_targets.apply()
