/**
 * What CloudFormation answers, as far as the core reads it. The fields are named as the service names them, and each of them
 * may be missing, so that what the SDK parsed is handed in as it is.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Types.html
 */

export type DescribedParameter = {
  readonly ParameterKey?: string | undefined
  readonly ParameterValue?: string | undefined
  /** What a parameter of an SSM type stands for at the moment of the last operation. */
  readonly ResolvedValue?: string | undefined
}

export type DescribedTag = { readonly Key?: string | undefined; readonly Value?: string | undefined }

export type DescribedOutput = {
  readonly OutputKey?: string | undefined
  readonly OutputValue?: string | undefined
  readonly ExportName?: string | undefined
}

export type DescribedRollback = {
  readonly RollbackTriggers?:
    | readonly { readonly Arn?: string | undefined; readonly Type?: string | undefined }[]
    | undefined
  readonly MonitoringTimeInMinutes?: number | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html */
export type DescribedStack = {
  readonly StackId?: string | undefined
  readonly StackName?: string | undefined
  readonly StackStatus?: string | undefined
  readonly StackStatusReason?: string | undefined
  readonly Parameters?: readonly DescribedParameter[] | undefined
  readonly Tags?: readonly DescribedTag[] | undefined
  readonly Outputs?: readonly DescribedOutput[] | undefined
  readonly RoleARN?: string | undefined
  readonly NotificationARNs?: readonly string[] | undefined
  readonly RollbackConfiguration?: DescribedRollback | undefined
  readonly EnableTerminationProtection?: boolean | undefined
  readonly DeploymentConfig?: { readonly Mode?: string | undefined } | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html */
export type DescribedTarget = {
  readonly Attribute?: string | undefined
  readonly Name?: string | undefined
  readonly RequiresRecreation?: string | undefined
  /** A JSON pointer from the resource: `/Properties/Listeners/0/Port`. Only where property values were asked for. */
  readonly Path?: string | undefined
  readonly BeforeValue?: string | undefined
  readonly AfterValue?: string | undefined
  readonly AttributeChangeType?: string | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html */
export type DescribedDetail = {
  readonly Target?: DescribedTarget | undefined
  readonly Evaluation?: string | undefined
  readonly ChangeSource?: string | undefined
  readonly CausingEntity?: string | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html */
export type DescribedChange = {
  readonly Action?: string | undefined
  readonly PolicyAction?: string | undefined
  readonly LogicalResourceId?: string | undefined
  readonly PhysicalResourceId?: string | undefined
  readonly ResourceType?: string | undefined
  readonly Replacement?: string | undefined
  readonly Scope?: readonly string[] | undefined
  readonly Details?: readonly DescribedDetail[] | undefined
  /** Of a nested stack: its own change set. */
  readonly ChangeSetId?: string | undefined
  /** JSON texts of the resource before and after: `{"Properties": {…}, "Metadata": {…}}`. */
  readonly BeforeContext?: string | undefined
  readonly AfterContext?: string | undefined
  readonly ResourceDriftStatus?: string | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html, all pages as one. */
export type DescribedChangeSet = {
  readonly ChangeSetId?: string | undefined
  readonly ChangeSetName?: string | undefined
  readonly StackId?: string | undefined
  readonly StackName?: string | undefined
  readonly Status?: string | undefined
  readonly StatusReason?: string | undefined
  readonly ExecutionStatus?: string | undefined
  readonly Changes?: readonly { readonly ResourceChange?: DescribedChange | undefined }[] | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html */
export type DescribedEvent = {
  readonly EventId?: string | undefined
  readonly StackId?: string | undefined
  readonly OperationId?: string | undefined
  readonly LogicalResourceId?: string | undefined
  readonly PhysicalResourceId?: string | undefined
  readonly ResourceType?: string | undefined
  readonly Timestamp?: Date | undefined
  readonly ResourceStatus?: string | undefined
  readonly ResourceStatusReason?: string | undefined
  readonly ClientRequestToken?: string | undefined
  readonly DetailedStatus?: string | undefined
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceSummary.html */
export type DescribedResource = {
  readonly LogicalResourceId?: string | undefined
  readonly PhysicalResourceId?: string | undefined
  readonly ResourceType?: string | undefined
  readonly ResourceStatus?: string | undefined
  readonly ResourceStatusReason?: string | undefined
}
