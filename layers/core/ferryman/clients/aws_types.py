"""The types of boto3's clients and of what AWS takes and answers, by the names that the operator uses.

They come from stubs (`boto3-stubs`) that only the type checker reads. `type` evaluates nothing at run time, so the
other modules annotate with these names as with any others, and no stub has to be in the layer.
"""

from typing import TYPE_CHECKING, Literal, Protocol, overload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import client as dynamodb_client
    from mypy_boto3_dynamodb import type_defs as dynamodb
    from mypy_boto3_ecr import client as ecr_client
    from mypy_boto3_ecr import type_defs as ecr
    from mypy_boto3_ecs import client as ecs_client
    from mypy_boto3_ecs import type_defs as ecs
    from mypy_boto3_events import client as events_client
    from mypy_boto3_events import type_defs as events
    from mypy_boto3_iam import client as iam_client
    from mypy_boto3_iam import type_defs as iam
    from mypy_boto3_lambda import client as lambda_client
    from mypy_boto3_logs import client as logs_client
    from mypy_boto3_scheduler import client as scheduler_client
    from mypy_boto3_scheduler import type_defs as scheduler
    from mypy_boto3_secretsmanager import client as secretsmanager_client
    from mypy_boto3_sesv2 import client as sesv2_client
    from mypy_boto3_sesv2 import type_defs as sesv2
    from mypy_boto3_sns import client as sns_client
    from mypy_boto3_sqs import client as sqs_client
    from mypy_boto3_ssm import client as ssm_client
    from mypy_boto3_stepfunctions import client as stepfunctions_client

    class _TaggedTaskDefinition(ecs.TaskDefinitionTypeDef):
        """DescribeTaskDefinition answers the tags beside the task definition; we keep them inside."""

        tags: list[ecs.TagTypeDef]


type DynamoDBClient = dynamodb_client.DynamoDBClient
type ECRClient = ecr_client.ECRClient
type ECSClient = ecs_client.ECSClient
type EventsClient = events_client.EventBridgeClient
type IAMClient = iam_client.IAMClient
type LambdaClient = lambda_client.LambdaClient
type LogsClient = logs_client.CloudWatchLogsClient
type SchedulerClient = scheduler_client.EventBridgeSchedulerClient
type SecretsManagerClient = secretsmanager_client.SecretsManagerClient
type SESClient = sesv2_client.SESV2Client
type SNSClient = sns_client.SNSClient
type SQSClient = sqs_client.SQSClient
type SSMClient = ssm_client.SSMClient
type StepFunctionsClient = stepfunctions_client.SFNClient

# DynamoDB
type Item = dict[str, dynamodb.AttributeValueTypeDef]
"""Attributes by name, each with its type, as `{"S": "text"}`."""
type ConditionCheck = dynamodb.ConditionCheckTypeDef
type DeleteAction = dynamodb.DeleteTypeDef
type PutAction = dynamodb.PutTypeDef
type QueryRequest = dynamodb.QueryInputTypeDef
type TransactionAction = dynamodb.TransactWriteItemTypeDef
type UpdateAction = dynamodb.UpdateTypeDef

# ECR
type DescribeImagesRequest = ecr.DescribeImagesRequestTypeDef
type ECRImage = ecr.ImageTypeDef
type ImageDetail = ecr.ImageDetailTypeDef
type ImageIdentifier = ecr.ImageIdentifierTypeDef
type PutImageRequest = ecr.PutImageRequestTypeDef
type ScanFindings = ecr.DescribeImageScanFindingsResponseTypeDef

# ECS
type ECSContainer = ecs.ContainerTypeDef
type ECSDeployment = ecs.DeploymentTypeDef
"""One of the deployments of a service; `Deployment` is the operator's own."""
type ECSService = ecs.ServiceTypeDef
type ECSTask = ecs.TaskTypeDef
type ListTasksRequest = ecs.ListTasksRequestTypeDef
type RegisterTaskDefinitionRequest = ecs.RegisterTaskDefinitionRequestTypeDef
type RunTaskAnswer = ecs.RunTaskResponseTypeDef
type RunTaskRequest = ecs.RunTaskRequestTypeDef
type TaskDefinition = _TaggedTaskDefinition
type UpdateServiceRequest = ecs.UpdateServiceRequestTypeDef
type VpcConfiguration = ecs.AwsVpcConfigurationTypeDef

# EventBridge and EventBridge Scheduler
type RuleTarget = events.TargetOutputTypeDef
type Schedule = scheduler.GetScheduleOutputTypeDef
type UpdateScheduleRequest = scheduler.UpdateScheduleInputTypeDef

# IAM
type SimulatedResult = iam.EvaluationResultTypeDef

# SES
type MailContent = sesv2.ContentTypeDef


class MakeClient(Protocol):
    """Makes the boto3 client of a service; `runtime.client` is one."""

    @overload
    def __call__(self, service: Literal["dynamodb"], /) -> DynamoDBClient: ...
    @overload
    def __call__(self, service: Literal["ecr"], /) -> ECRClient: ...
    @overload
    def __call__(self, service: Literal["ecs"], /) -> ECSClient: ...
    @overload
    def __call__(self, service: Literal["events"], /) -> EventsClient: ...
    @overload
    def __call__(self, service: Literal["iam"], /) -> IAMClient: ...
    @overload
    def __call__(self, service: Literal["lambda"], /) -> LambdaClient: ...
    @overload
    def __call__(self, service: Literal["logs"], /) -> LogsClient: ...
    @overload
    def __call__(self, service: Literal["scheduler"], /) -> SchedulerClient: ...
    @overload
    def __call__(self, service: Literal["secretsmanager"], /) -> SecretsManagerClient: ...
    @overload
    def __call__(self, service: Literal["sesv2"], /) -> SESClient: ...
    @overload
    def __call__(self, service: Literal["sns"], /) -> SNSClient: ...
    @overload
    def __call__(self, service: Literal["sqs"], /) -> SQSClient: ...
    @overload
    def __call__(self, service: Literal["ssm"], /) -> SSMClient: ...
    @overload
    def __call__(self, service: Literal["stepfunctions"], /) -> StepFunctionsClient: ...
