import type { FailureClass } from '../../../src/core/cause/classes.ts'
import type { FailureEvent } from '../../../src/core/cause/first.ts'
import type { Suspect, Verdict } from '../../../src/core/cause/suspects.ts'

/**
 * Failures of CloudFormation as they were reported in public issues and forums, or as AWS documents them, each with what
 * is true of it. The events are given as CloudFormation orders them, newest last.
 */
export type LabelledFailure = {
  readonly name: string
  readonly events: readonly FailureEvent[]
  /** The resource that failed first, with the nested stacks that it lies in; nothing, if it is the stack. */
  readonly first: string | undefined
  readonly is: FailureClass
  readonly also?: readonly string[]
  /** The suspects that are convicted by the events alone. All others are cleared or not known, never convicted. */
  readonly guilty: readonly Suspect[]
  readonly cleared?: readonly Suspect[]
}

export type Expected = Readonly<Partial<Record<Suspect, Verdict['is']>>>

/** `12 CREATE_FAILED Network/Subnet AWS::EC2::Subnet | reason`: seconds, status, path (`.` is the stack itself), type. */
export function stream(text: string): readonly FailureEvent[] {
  return text
    .trim()
    .split('\n')
    .map((line, index) => {
      const [head = '', ...reason] = line.trim().split(' | ')
      const [seconds = '0', status = '', path = '.', type = ''] = head.split(' ')
      const steps = path === '.' ? [] : path.split('/')
      const isStack = path === '.' || path.endsWith('/')
      const within = isStack ? steps.filter((step) => step !== '') : steps.slice(0, -1)
      const logicalId = isStack ? undefined : steps.at(-1)
      return {
        id: `${index}`,
        at: new Date(Date.UTC(2026, 10, 25, 12, 0, 0) + Number(seconds) * 1000),
        within,
        ...(logicalId !== undefined && { logicalId }),
        type: isStack ? 'AWS::CloudFormation::Stack' : type,
        status,
        ...(reason.length > 0 && { reason: reason.join(' | ') }),
      }
    })
}

/** A first creation in which one resource fails, another is cancelled, and the stack goes back. */
function creating(logicalId: string, type: string, reason: string): readonly FailureEvent[] {
  return stream(`
    0 CREATE_IN_PROGRESS . | User Initiated
    1 CREATE_IN_PROGRESS ${logicalId} ${type}
    1 CREATE_IN_PROGRESS Bystander AWS::SNS::Topic
    2 CREATE_IN_PROGRESS ${logicalId} ${type} | Resource creation Initiated
    30 CREATE_FAILED ${logicalId} ${type} | ${reason}
    30 CREATE_FAILED Bystander AWS::SNS::Topic | Resource creation cancelled
    31 ROLLBACK_IN_PROGRESS . | The following resource(s) failed to create: [${logicalId}, Bystander]. Rollback requested by user.
    40 DELETE_COMPLETE ${logicalId} ${type}
    41 ROLLBACK_COMPLETE .`)
}

function updating(logicalId: string, type: string, reason: string): readonly FailureEvent[] {
  return stream(`
    0 UPDATE_IN_PROGRESS . | User Initiated
    1 UPDATE_IN_PROGRESS Bystander AWS::SNS::Topic
    1 UPDATE_IN_PROGRESS ${logicalId} ${type}
    25 UPDATE_FAILED ${logicalId} ${type} | ${reason}
    25 UPDATE_FAILED Bystander AWS::SNS::Topic | Resource update cancelled
    26 UPDATE_ROLLBACK_IN_PROGRESS . | The following resource(s) failed to update: [${logicalId}, Bystander].
    50 UPDATE_COMPLETE ${logicalId} ${type}
    52 UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS .
    53 UPDATE_ROLLBACK_COMPLETE .`)
}

type Row = readonly [
  name: string,
  logicalId: string,
  type: string,
  reason: string,
  is: FailureClass,
  guilty: Suspect | undefined,
]

const handler = (code: string): string =>
  ` (RequestToken: 5c4b1c52-8f3a-4a55-9f0e-6b9f2b7f7a11, HandlerErrorCode: ${code})`

const rows: readonly Row[] = [
  // What developers ship.
  [
    'a circuit breaker',
    'Service',
    'AWS::ECS::Service',
    `Resource handler returned message: "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."${handler('GeneralServiceException')}`,
    'application',
    undefined,
  ],
  [
    'a service that never becomes steady',
    'Service',
    'AWS::ECS::Service',
    `Resource handler returned message: "Exceeded attempts to wait"${handler('NotStabilized')}`,
    'application',
    undefined,
  ],
  [
    'a target that fails its health check',
    'Service',
    'AWS::ECS::Service',
    '(service checkout) (port 8080) is unhealthy in (target-group arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/checkout/7a1) due to (reason Health checks failed).',
    'application',
    undefined,
  ],
  [
    'an image that is not there',
    'Service',
    'AWS::ECS::Service',
    'CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/acme/checkout:9: docker.io/acme/checkout:9: not found',
    'application',
    'code',
  ],
  [
    'a container that ends',
    'Service',
    'AWS::ECS::Service',
    'Essential container in task exited',
    'application',
    undefined,
  ],
  [
    'a function whose image is broken',
    'Function',
    'AWS::Lambda::Function',
    `Resource handler returned message: "Lambda function api reached terminal FAILED state due to InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected) and failed to stabilize"${handler('NotStabilized')}`,
    'application',
    'code',
  ],
  [
    'an archive that is empty',
    'Function',
    'AWS::Lambda::Function',
    `Resource handler returned message: "Uploaded file must be a non-empty zip (Service: Lambda, Status Code: 400, Request ID: 0a1)"${handler('InvalidRequest')}`,
    'application',
    undefined,
  ],
  [
    'a custom resource that says no',
    'Migration',
    'Custom::Migration',
    'Received response status [FAILED] from custom resource. Message returned: relation "orders" does not exist (RequestId: 8b1)',
    'application',
    undefined,
  ],
  [
    'a custom resource that calls something invalid',
    'Seed',
    'Custom::Seed',
    'Invalid value for field "rows"',
    'application',
    undefined,
  ],
  [
    'a machine that signals failure',
    'Group',
    'AWS::AutoScaling::AutoScalingGroup',
    'Received FAILURE signal with UniqueId i-0a1b2c3d4e5f60718',
    'application',
    undefined,
  ],
  [
    'a wait condition',
    'Ready',
    'AWS::CloudFormation::WaitCondition',
    "WaitCondition received failed message: 'bootstrap failed' for uniqueId: i-0a1",
    'application',
    undefined,
  ],
  [
    'an App Runner service',
    'Web',
    'AWS::AppRunner::Service',
    'Your service failed to create. Review the application logs for more information.',
    'application',
    undefined,
  ],
  [
    'an alarm that turns a deployment back',
    'Deployment',
    'AWS::CodeDeploy::DeploymentGroup',
    'One or more alarms have been activated according to the Amazon CloudWatch metrics you selected',
    'application',
    undefined,
  ],
  [
    'a function that cannot be initialised',
    'Function',
    'AWS::Lambda::Version',
    'An error occurred during function initialization: module is not found',
    'application',
    undefined,
  ],
  // Settings.
  [
    'a property that nobody knows',
    'Service',
    'AWS::ECS::Service',
    'Properties validation failed for resource Service with message: [#/LoadBalancers/0: extraneous key [Port] is not permitted]',
    'settings',
    'settings',
  ],
  [
    'a runtime that is no longer there',
    'Function',
    'AWS::Lambda::Function',
    `Resource handler returned message: "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions."${handler('InvalidRequest')}`,
    'settings',
    'settings',
  ],
  [
    'a property that cannot be changed',
    'Table',
    'AWS::DynamoDB::Table',
    'Updates are not allowed for property - TableName.',
    'settings',
    'settings',
  ],
  [
    'a combination that the database does not know',
    'Database',
    'AWS::RDS::DBInstance',
    'RDS does not support creating a DB instance with the following combination: DBInstanceClass=db.t2.micro, Engine=postgres, EngineVersion=16.1',
    'settings',
    'settings',
  ],
  [
    'a list that is none',
    'Listener',
    'AWS::ElasticLoadBalancingV2::Listener',
    'Value of property Certificates must be a list of objects.',
    'settings',
    'settings',
  ],
  [
    'a policy that is malformed',
    'Role',
    'AWS::IAM::Role',
    `Resource handler returned message: "Syntax errors in policy. (Service: Iam, Status Code: 400) MalformedPolicyDocument"${handler('InvalidRequest')}`,
    'settings',
    'settings',
  ],
  [
    'a certificate that does not fit',
    'Distribution',
    'AWS::CloudFront::Distribution',
    'The certificate that is attached to your distribution was not issued by a trusted CA: InvalidViewerCertificate',
    'settings',
    'settings',
  ],
  [
    'only a handler code',
    'Thing',
    'AWS::Events::Rule',
    `Resource handler returned message: "ScheduleExpression"${handler('InvalidRequest')}`,
    'settings',
    'settings',
  ],
  [
    'only a status',
    'Topic',
    'AWS::SNS::Topic',
    'Something about TopicName (Service: Sns, Status Code: 400, Request ID: 1a2)',
    'settings',
    'settings',
  ],
  [
    'a task size that does not exist',
    'Task',
    'AWS::ECS::TaskDefinition',
    `Resource handler returned message: "Invalid request provided: Create TaskDefinition: No Fargate configuration exists for given values: 300 CPU, 512 memory."${handler('InvalidRequest')}`,
    'settings',
    'settings',
  ],
  // Permission.
  [
    'an action that nobody allowed',
    'Bucket',
    'AWS::S3::Bucket',
    `Resource handler returned message: "User: arn:aws:sts::111111111111:assumed-role/deploy/run is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::files because no identity-based policy allows the s3:CreateBucket action"${handler('AccessDenied')}`,
    'permission',
    'security',
  ],
  [
    'a denial by a boundary',
    'Role',
    'AWS::IAM::Role',
    'User: arn:aws:sts::111111111111:assumed-role/deploy/run is not authorized to perform: iam:CreateRole because no permissions boundary allows the iam:CreateRole action',
    'permission',
    'security',
  ],
  [
    'an access that is denied without a word',
    'Key',
    'AWS::KMS::Key',
    "Access denied for operation 'AWS::KMS::Key'.",
    'permission',
    'security',
  ],
  [
    'tags that may not be set',
    'Queue',
    'AWS::SQS::Queue',
    'Encountered a permissions error performing a tagging operation, please add required tag permissions.',
    'permission',
    'security',
  ],
  [
    'a role that cannot be assumed',
    'Service',
    'AWS::ECS::Service',
    'ECS was unable to assume the role arn:aws:iam::111111111111:role/checkout-task that was provided for this task.',
    'permission',
    'security',
  ],
  [
    'a function in a network that may not have it',
    'Function',
    'AWS::Lambda::Function',
    `Resource handler returned message: "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"${handler('InvalidRequest')}`,
    'permission',
    'security',
  ],
  [
    'a secret that may not be read',
    'Service',
    'AWS::ECS::Service',
    'unable to retrieve secrets from ssm: The task cannot pull secrets: AccessDeniedException: not authorized to perform: ssm:GetParameters',
    'permission',
    'security',
  ],
  [
    'a stage without a role for its logs',
    'Stage',
    'AWS::ApiGateway::Stage',
    'CloudWatch Logs role ARN must be set in account settings to enable logging',
    'permission',
    'security',
  ],
  [
    'a service-linked role',
    'Cluster',
    'AWS::ECS::Cluster',
    'Unable to create the linked role. Verify that you have permission to create service linked role.',
    'permission',
    'security',
  ],
  [
    'an image that may not be pulled',
    'Service',
    'AWS::ECS::Service',
    'CannotPullContainerError: User: arn:aws:sts::111111111111:assumed-role/exec is not authorized to perform: ecr:BatchGetImage',
    'permission',
    'security',
  ],
  // Network.
  [
    'secrets that cannot be reached',
    'Service',
    'AWS::ECS::Service',
    'ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: dial tcp 10.0.3.7:443: i/o timeout. Please check your task network configuration.',
    'network',
    'firewall',
  ],
  [
    'a registry that cannot be reached',
    'Service',
    'AWS::ECS::Service',
    'CannotPullContainerError: failed to do request: Head "https://registry.example.com/v2/": dial tcp 203.0.113.9:443: connect: connection timed out',
    'network',
    'firewall',
  ],
  [
    'a custom resource that never answers',
    'Hook',
    'Custom::Hook',
    'CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [9c1].',
    'network',
    'firewall',
  ],
  [
    'two subnets in one zone',
    'Balancer',
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    'A load balancer cannot be attached to multiple subnets in the same Availability Zone',
    'network',
    'settings',
  ],
  [
    'a range that is taken',
    'Subnet',
    'AWS::EC2::Subnet',
    "The CIDR '10.0.1.0/24' conflicts with another subnet (Service: Ec2, Status Code: 400, Request ID: 3d1)",
    'network',
    'settings',
  ],
  [
    'a network that is not there',
    'Group',
    'AWS::EC2::SecurityGroup',
    "The vpc ID 'vpc-0a1b2c3d' does not exist",
    'network',
    'settings',
  ],
  [
    'groups of another network',
    'Nodes',
    'AWS::EKS::Nodegroup',
    'One or more security groups in the launch template are not linked to the VPCs configured in the Auto Scaling group',
    'network',
    'settings',
  ],
  // Limits and room.
  [
    'too many networks',
    'Vpc',
    'AWS::EC2::VPC',
    `Resource handler returned message: "The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)"${handler('ServiceLimitExceeded')}`,
    'quota',
    'settings',
  ],
  [
    'concurrency that is not left',
    'Function',
    'AWS::Lambda::Function',
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [50].",
    'quota',
    'settings',
  ],
  [
    'a policy that is too long',
    'Policy',
    'AWS::IAM::Policy',
    'Maximum policy size of 10240 bytes exceeded for role checkout',
    'quota',
    'settings',
  ],
  [
    'no free addresses',
    'Balancer',
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    'InsufficientFreeAddressesInSubnet: Not enough IP space available in subnet-0a1',
    'quota',
    'settings',
  ],
  [
    'no machines of that size',
    'Instance',
    'AWS::EC2::Instance',
    'We currently do not have sufficient m7g.large capacity in the Availability Zone you requested',
    'capacity',
    undefined,
  ],
  // Names and what is there.
  [
    'a name that is taken',
    'Queue',
    'AWS::SQS::Queue',
    'checkout-jobs already exists in stack arn:aws:cloudformation:eu-west-1:111111111111:stack/old/1a2',
    'taken',
    'settings',
  ],
  [
    'a bucket that somebody has',
    'Bucket',
    'AWS::S3::Bucket',
    'The requested bucket name is not available. The bucket namespace is shared by all users of the system.',
    'taken',
    'settings',
  ],
  [
    'a named resource that is to be replaced',
    'Table',
    'AWS::DynamoDB::Table',
    'CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename orders and update the stack again.',
    'taken',
    'settings',
  ],
  [
    'a name of another distribution',
    'Distribution',
    'AWS::CloudFront::Distribution',
    'One or more of the CNAMEs you provided are already associated with a different resource.',
    'taken',
    'settings',
  ],
  [
    'a policy that is gone',
    'Role',
    'AWS::IAM::Role',
    'Policy arn:aws:iam::111111111111:policy/shared does not exist or is not found',
    'missing',
    'settings',
  ],
  [
    'a listener that is gone',
    'Rule',
    'AWS::ElasticLoadBalancingV2::ListenerRule',
    `Resource handler returned message: "One or more listeners not found"${handler('NotFound')}`,
    'missing',
    'settings',
  ],
  [
    'a layer that is gone',
    'Function',
    'AWS::Lambda::Function',
    'Layer version arn:aws:lambda:eu-west-1:111111111111:layer:base:4 does not exist.',
    'missing',
    'settings',
  ],
  [
    'a group that is in use',
    'Group',
    'AWS::EC2::SecurityGroup',
    'resource sg-0a1b2c3d has a dependent object (Service: Ec2, Status Code: 400, Request ID: 8f1)',
    'state',
    'settings',
  ],
  [
    'a bucket that is not empty',
    'Bucket',
    'AWS::S3::Bucket',
    'The bucket you tried to delete is not empty',
    'state',
    'settings',
  ],
  // Rules.
  [
    'a hook',
    'Bucket',
    'AWS::S3::Bucket',
    'The following hook(s) failed: [Acme::Security::Encryption]',
    'policy',
    'settings',
  ],
  [
    'a policy of the stack',
    'Table',
    'AWS::DynamoDB::Table',
    'Action denied by stack policy: Statement [#1] does not allow [Update:Replace] for resource [LogicalResourceId/Table]',
    'policy',
    'settings',
  ],
  // The cloud.
  [
    'too many requests',
    'Record',
    'AWS::Route53::RecordSet',
    'Rate exceeded (Service: Route53, Status Code: 400, Request ID: 5a1)',
    'throttled',
    undefined,
  ],
  [
    'a failure of the cloud',
    'Cluster',
    'AWS::ElastiCache::ReplicationGroup',
    `Resource handler returned message: "Internal Failure"${handler('InternalFailure')}`,
    'cloud',
    undefined,
  ],
  [
    'a status of 500',
    'Topic',
    'AWS::SNS::Topic',
    'Unable to execute (Service: Sns, Status Code: 503, Request ID: 7c1)',
    'cloud',
    undefined,
  ],
  [
    'a cluster that takes too long',
    'Cluster',
    'AWS::MSK::Cluster',
    `Resource did not stabilize in time${handler('NotStabilized')}`,
    'timeout',
    undefined,
  ],
  [
    'credentials that are over',
    'Function',
    'AWS::Lambda::Function',
    'The security token included in the request is expired (Service: Lambda, Status Code: 403)',
    'credentials',
    undefined,
  ],
  // Nothing to go by.
  ['no words at all', 'Thing', 'AWS::IoT::Thing', 'Resource handler returned message: "null"', 'unknown', undefined],
  ['words that say nothing', 'Thing', 'AWS::IoT::Thing', 'It did not work.', 'unknown', undefined],
  ['a class of its own', 'Thing', 'AWS::IoT::Thing', 'UnexpectedDisjunctionException', 'unknown', undefined],
]

const whole: readonly LabelledFailure[] = [
  {
    name: 'a resource in the third nested stack',
    events: stream(`
      0 CREATE_IN_PROGRESS . | User Initiated
      1 CREATE_IN_PROGRESS Network AWS::CloudFormation::Stack
      2 CREATE_IN_PROGRESS Network/Subnets AWS::CloudFormation::Stack
      3 CREATE_IN_PROGRESS Network/Subnets/Private AWS::CloudFormation::Stack
      9 CREATE_FAILED Network/Subnets/Private/SubnetA AWS::EC2::Subnet | The CIDR '10.0.9.0/24' conflicts with another subnet
      10 ROLLBACK_IN_PROGRESS Network/Subnets/Private/ | The following resource(s) failed to create: [SubnetA]. Rollback requested by user.
      12 CREATE_FAILED Network/Subnets/Private AWS::CloudFormation::Stack | Embedded stack arn:aws:cloudformation:eu-west-1:1:stack/p/1 was not successfully created: The following resource(s) failed to create: [SubnetA].
      13 CREATE_FAILED Network/Subnets AWS::CloudFormation::Stack | Embedded stack arn:aws:cloudformation:eu-west-1:1:stack/s/1 was not successfully created: The following resource(s) failed to create: [Private].
      14 CREATE_FAILED Network AWS::CloudFormation::Stack | Embedded stack arn:aws:cloudformation:eu-west-1:1:stack/n/1 was not successfully created: The following resource(s) failed to create: [Subnets].
      15 ROLLBACK_IN_PROGRESS . | The following resource(s) failed to create: [Network]. Rollback requested by user.`),
    first: 'Network/Subnets/Private/SubnetA',
    is: 'network',
    guilty: ['settings'],
  },
  {
    name: 'two resources that fail at once, each for itself',
    events: stream(`
      0 CREATE_IN_PROGRESS . | User Initiated
      7 CREATE_FAILED Queue AWS::SQS::Queue | User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: sqs:CreateQueue on resource: arn:aws:sqs:eu-west-1:1:q
      7.2 CREATE_FAILED Topic AWS::SNS::Topic | User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: SNS:CreateTopic on resource: arn:aws:sns:eu-west-1:1:t
      8 CREATE_FAILED Role AWS::IAM::Role | Resource creation cancelled
      8 ROLLBACK_IN_PROGRESS . | The following resource(s) failed to create: [Queue, Topic, Role]. Rollback requested by user.`),
    first: 'Queue',
    is: 'permission',
    also: ['Topic'],
    guilty: ['security'],
  },
  {
    name: 'events that come out of order',
    events: stream(`
      31 ROLLBACK_IN_PROGRESS . | The following resource(s) failed to create: [Service, Alarm]. Rollback requested by user.
      30 CREATE_FAILED Alarm AWS::CloudWatch::Alarm | Resource creation cancelled
      0 CREATE_IN_PROGRESS . | User Initiated
      29 CREATE_FAILED Service AWS::ECS::Service | Properties validation failed for resource Service with message: #: required key [Cluster] not found
      5 CREATE_IN_PROGRESS Service AWS::ECS::Service`),
    first: 'Service',
    is: 'settings',
    guilty: ['settings'],
  },
  {
    name: 'a rollback that fails too',
    events: stream(`
      0 UPDATE_IN_PROGRESS . | User Initiated
      10 UPDATE_FAILED Service AWS::ECS::Service | Resource handler returned message: "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
      11 UPDATE_ROLLBACK_IN_PROGRESS . | The following resource(s) failed to update: [Service].
      20 UPDATE_FAILED Group AWS::EC2::SecurityGroup | resource sg-1 has a dependent object
      21 UPDATE_ROLLBACK_FAILED . | The following resource(s) failed to update: [Group].`),
    first: 'Service',
    is: 'application',
    guilty: [],
  },
  {
    name: 'a stack that fails by itself, over a value that others use',
    events: stream(`
      0 UPDATE_IN_PROGRESS . | User Initiated
      4 UPDATE_ROLLBACK_IN_PROGRESS . | Export dev-vpc cannot be updated as it is in use by checkout-dev
      9 UPDATE_ROLLBACK_COMPLETE .`),
    first: undefined,
    is: 'export',
    guilty: ['settings'],
  },
  {
    name: 'a stack that an alarm turned back',
    events: stream(`
      0 UPDATE_IN_PROGRESS . | User Initiated
      4 UPDATE_COMPLETE Service AWS::ECS::Service
      90 UPDATE_ROLLBACK_IN_PROGRESS . | One or more alarms have been activated: [checkout-errors]
      99 UPDATE_ROLLBACK_COMPLETE .`),
    first: undefined,
    is: 'application',
    guilty: [],
  },
  {
    name: 'a value of another stack that is not there',
    events: stream(`
      0 CREATE_IN_PROGRESS . | User Initiated
      1 ROLLBACK_IN_PROGRESS . | No export named dev-vpc found. Rollback requested by user.
      3 ROLLBACK_COMPLETE .`),
    first: undefined,
    is: 'export',
    guilty: ['settings'],
  },
  {
    name: 'what could not be deleted afterwards is no cause',
    events: stream(`
      0 UPDATE_IN_PROGRESS . | User Initiated
      9 UPDATE_FAILED Table AWS::DynamoDB::Table | Updates are not allowed for property - TableName.
      10 UPDATE_ROLLBACK_IN_PROGRESS . | The following resource(s) failed to update: [Table].
      12 DELETE_FAILED Bucket AWS::S3::Bucket | The bucket you tried to delete is not empty`),
    first: 'Table',
    is: 'settings',
    guilty: ['settings'],
  },
]

export const failures: readonly LabelledFailure[] = [
  ...rows.map(([name, logicalId, type, reason, is, guilty], index): LabelledFailure => ({
    name,
    events: (index % 2 === 0 ? creating : updating)(logicalId, type, reason),
    first: logicalId,
    is,
    guilty: guilty === undefined ? [] : [guilty],
  })),
  ...whole,
]
