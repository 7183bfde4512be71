"""Corrections of the emulator, so that the flow meets here what AWS documents.

Applied by emulator_process before ministack serves; each is one function whose docstring says what AWS does. The
version is pinned and every replaced attribute is checked: anything else is refused.

Lambda (patch_lambda): errorType is the exception's class and the process survives it; a function sees only its own
code, layers and what AWS's runtime bundles; code and layers are unpacked once per content; faults and counters for
tests; the endpoint Lambdas see can be a fault proxy.
Function URLs (patch_function_urls): events carry the IAM caller and cookies; a public URL can be opened as it is;
OPTIONS reaches the function; reserved concurrency.
ECR (patch_ecr): scan findings; layer URLs that lead to the blob; PutImage's digest check and its "nothing changed";
immutable tags with exclusions; an image that is not there is refused; a token for the registry that is there.
Step Functions (patch_states, patch_tokens): StartExecution is idempotent while RUNNING; machine-level TimeoutSeconds;
an abort ends waiting tasks and Maps, and ABORTED stays; a failing Lambda behind waitForTaskToken fails its task at
once; a new token per attempt; late answers are TaskTimedOut; scaled token timeouts; Output of Succeed;
States.ALL does not catch States.Runtime; 256 KiB limit; transitions counted.
ECS (patch_ecs): the process or the Docker engine; a task's file system; clientToken; imageDigest on every task;
CannotPullContainerError; exit 143 for a stopped task. (patch_rollouts): a rollout completes when its targets are
healthy; failing health checks fail it; old failed deployments go with the next one; one that is replaced on its way
gives room to the next. (patch_balancers): targets are drained, as long as the target group's deregistration delay,
before a task's containers are stopped.
Schedules (patch_schedules): expressions that AWS refuses are refused, in CloudFormation too; looked at every second;
which schedule invoked a Lambda.
IAM (patch_iam): ECS actions are checked on AWS's resources, with ecs:cluster; RegisterTaskDefinition needs PassRole.

Left as it is: DescribeServiceDeployments is empty (the operator follows ids in DescribeServices); imagePushedAt has
whole seconds; HeartbeatSeconds is not enforced; aborting a parent leaves a nested execution running; one successful
health check is enough (AWS wants HealthyThresholdCount); targets are not checked again once healthy; a deployment is
COMPLETED when its last target is healthy, while the old ones may still drain (not compared with AWS); DeregisterTargets
by hand does not drain.
"""

from pathlib import Path

from ferryman_local.engines.engine import Engine
from ferryman_local.patches import ecr, ecs, ecs_deployments, elbv2, iam, lambda_, lambda_urls, scheduler, stepfunctions
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
    ecr.apply(control)
    ecs.apply(engine)
    elbv2.apply()
    ecs_deployments.apply()
    iam.apply()
    scheduler.apply()
