import { type Data, type DataMap, isList, mapOf } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { sha256 } from '../sha256.ts'
import type { Placed, PseudoValues } from './evaluate.ts'
import { scalarText } from './parameters.ts'
import { partitionOf, zonesOf } from './regions.ts'
import { own, type StackName } from './template.ts'
import { type AttributeKind, lookUpType, type ResourceType } from './types.ts'

/** A resource that wants a name: the `generation` counts its replacements, from 1. */
export type Unnamed = {
  readonly stack: StackName
  readonly logicalId: string
  readonly type: string
  readonly properties: DataMap
  readonly generation: number
}

/**
 * The pseudo parameters of a stack. The stack's id ends with a UUID, as AWS's does, derived from account, region and name.
 */
export function pseudoValues(stack: StackName): PseudoValues {
  const { partition, urlSuffix } = partitionOf(stack.region)
  const uuid = uuidOf(`${stack.account}\n${stack.region}\n${stack.name}`)
  return {
    accountId: stack.account,
    region: stack.region,
    partition,
    urlSuffix,
    stackName: stack.name,
    stackId: `arn:${partition}:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/${uuid}`,
    notificationArns: [],
  }
}

/**
 * What `Ref` and `Fn::GetAtt` give for a resource that does not exist yet, in the manner of AWS: `vpc-` and 17 hex digits, the
 * ARN of a load balancer, the URL of a queue, or the stack's name, the logical id and 13 random characters. The same
 * resource of the same stack has the same id every time, until it is replaced. Names that the template gives are used. An
 * attribute that the type does not have is never made up.
 */
export function placeResource(resource: Unnamed): Placed {
  return new Placing(resource)
}

/** Most resources are mentioned by none, and their names are asked for by whoever makes them alone. */
class Placing implements Placed {
  readonly #resource: Unnamed
  #placed: Named | undefined

  constructor(resource: Unnamed) {
    this.#resource = resource
  }

  get physicalId(): string {
    return this.#named().physicalId
  }

  #named(): Named {
    if (this.#placed !== undefined) return this.#placed
    const { type: name } = this.#resource
    const found = lookUpType(name)
    const known = found.is === 'known' ? found.type : undefined
    const kind = name.replace(/^AWS::/, '')
    const it: Named = { ...this.#resource, kind, known, name: nameOf(this.#resource, known), physicalId: '' }
    return (this.#placed = { ...it, physicalId: idOf(it) })
  }

  attribute(attribute: string): ReturnType<Placed['attribute']> {
    const placed = this.#named()
    const { kind, known, properties, type } = placed
    if (lookUpType(type).is === 'custom' || (kind === 'CloudFormation::Stack' && attribute.startsWith('Outputs.'))) {
      return { ok: true, value: fill(`{low:12}`, placed, `attribute ${attribute}`) }
    }
    if (known === undefined) {
      return { ok: false, message: `The attributes of ${type} are not known here, so no value can be given.` }
    }
    const form = known.attributes.get(attribute)
    if (form === undefined) return { ok: false, message: attributesText(known, attribute) }
    if (
      attribute === 'StreamArn' &&
      kind === 'DynamoDB::Table' &&
      own(properties, 'StreamSpecification') === undefined
    ) {
      return { ok: false, message: 'The table has no stream: it lacks `StreamSpecification`.' }
    }
    return { ok: true, value: attributeOf(placed, attribute, form) }
  }
}

/**
 * The name that the template itself gives to a resource, if no other resource of the type may have it. A resource with
 * such a name cannot be replaced under it, because the new one is made before the old one goes.
 */
export function fixedName(resource: Omit<Unnamed, 'generation'>): string | undefined {
  const found = lookUpType(resource.type)
  // Registering a task definition under a known family makes its next revision; zones may share a domain.
  if (found.is !== 'known' || found.type.composite || sharedNames.has(resource.type)) return undefined
  return explicitName(resource, found.type)
}

const sharedNames: ReadonlySet<string> = new Set([
  'AWS::ECS::TaskDefinition',
  'AWS::Route53::HostedZone',
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::Stage',
  'AWS::IAM::Policy',
  'AWS::Cognito::UserPool',
  'AWS::Lambda::Version',
  'AWS::Lambda::Alias',
  'AWS::Lambda::LayerVersion',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicInlinePolicy',
  'AWS::SQS::QueueInlinePolicy',
  'AWS::SecretsManager::ResourcePolicy',
  'AWS::SecretsManager::SecretTargetAttachment',
  'AWS::Lambda::Url',
  'AWS::EC2::EIP',
  'AWS::Serverless::Api',
  'AWS::Serverless::HttpApi',
  'AWS::Serverless::LayerVersion',
])

export function attributesText(type: ResourceType, attribute: string): string {
  const names = [...type.attributes.keys()]
  if (names.length === 0) return `${type.name} has no attributes.`
  const shown = names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ')
  return `${type.name} has ${shown}.${didYouMean(attribute, names)}`
}

type Named = Unnamed & {
  readonly kind: string
  readonly known: ResourceType | undefined
  readonly name: string
  readonly physicalId: string
}

/** The names that services accept: the most characters, and whether capital letters are. Others take 255 of any. */
const nameLimits: Readonly<Record<string, { readonly most: number; readonly lower?: true }>> = {
  'AutoScaling::AutoScalingGroup': { most: 255 },
  'DynamoDB::Table': { most: 255 },
  'ECR::Repository': { most: 256, lower: true },
  'ElastiCache::CacheCluster': { most: 40, lower: true },
  'ElastiCache::ReplicationGroup': { most: 40, lower: true },
  'ElastiCache::ServerlessCache': { most: 40, lower: true },
  'ElastiCache::SubnetGroup': { most: 255, lower: true },
  'ElasticLoadBalancingV2::LoadBalancer': { most: 32 },
  'ElasticLoadBalancingV2::TargetGroup': { most: 32 },
  'Events::Rule': { most: 64 },
  'IAM::InstanceProfile': { most: 128 },
  'IAM::ManagedPolicy': { most: 128 },
  'IAM::Policy': { most: 128 },
  'IAM::Role': { most: 64 },
  'IAM::User': { most: 64 },
  'Lambda::Function': { most: 64 },
  'Logs::LogGroup': { most: 512 },
  'OpenSearchService::Domain': { most: 28, lower: true },
  'RDS::DBCluster': { most: 63, lower: true },
  'RDS::DBInstance': { most: 63, lower: true },
  'RDS::DBSubnetGroup': { most: 255, lower: true },
  'S3::Bucket': { most: 63, lower: true },
  'SNS::Topic': { most: 256 },
  'SQS::Queue': { most: 80 },
  'Scheduler::Schedule': { most: 64 },
  'Serverless::Function': { most: 64 },
  'StepFunctions::StateMachine': { most: 80 },
  'Synthetics::Canary': { most: 21, lower: true },
}

function explicitName(resource: Omit<Unnamed, 'generation'>, type: ResourceType): string | undefined {
  const kind = resource.type.split('::')[2] ?? ''
  const candidates = [
    ...type.identifier.slice(0, 1),
    `${kind}Name`,
    'Name',
    ...(kind === 'TaskDefinition' ? ['Family'] : []),
  ]
  for (const candidate of candidates) {
    if (!type.properties.has(candidate)) continue
    const text = scalarText(own(resource.properties, candidate))
    if (text !== undefined && text !== '') return text
  }
  return undefined
}

function nameOf(resource: Unnamed, type: ResourceType | undefined): string {
  const given = type === undefined ? undefined : explicitName(resource, type)
  if (given !== undefined) return given
  const kind = resource.type.replace(/^AWS::/, '')
  const { most, lower } = nameLimits[kind] ?? { most: 255 }
  // A task definition's family stays when its revision counts up.
  const generation = kind === 'ECS::TaskDefinition' ? 1 : resource.generation
  const random = randomText(`${seedOf({ ...resource, generation })}\nname`, 13, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
  const end = kind === 'SQS::Queue' && scalarText(own(resource.properties, 'FifoQueue')) === 'true' ? '.fifo' : ''
  const room = most - random.length - end.length - 2
  const name = `${shorten(resource.stack.name, resource.logicalId, room)}-${random}`
  return `${lower === true ? name.toLowerCase() : name}${end}`
}

/** Both parts in `room` characters and a hyphen; the longer one gives way first. */
function shorten(stack: string, logicalId: string, room: number): string {
  const least = Math.floor(room / 2)
  const first = stack.slice(0, Math.max(least, room - logicalId.length)).replace(/-+$/, '')
  return `${first}-${logicalId.slice(0, Math.max(1, room - first.length))}`
}

/**
 * What `Ref` returns, by type. `$P $R $A $U` are partition, region, account and URL suffix; `{name}` the name, `{n}` the
 * generation, `{hex:17}` and the like derived characters, `{Property}` the text of a property, `{tail:Property|none}` what
 * follows its last slash.
 */
const ids: Readonly<Record<string, string>> = {
  'ApiGateway::Deployment': '{low:6}',
  'ApiGateway::Resource': '{low:6}',
  'AppRunner::Service': 'arn:$P:apprunner:$R:$A:service/{name}/{hex:32}',
  'AppRunner::VpcConnector': 'arn:$P:apprunner:$R:$A:vpcconnector/{name}/1/{hex:32}',
  'ApplicationAutoScaling::ScalableTarget': '{ResourceId}|{ScalableDimension}|{ServiceNamespace}',
  'ApplicationAutoScaling::ScalingPolicy':
    'arn:$P:autoscaling:$R:$A:scalingPolicy:{uuid}:resource/{ServiceNamespace|ecs}/{ResourceId|{low:8}}:policyName/{PolicyName|{name}}',
  'AutoScaling::ScalingPolicy':
    'arn:$P:autoscaling:$R:$A:scalingPolicy:{uuid}:autoScalingGroupName/{AutoScalingGroupName}:policyName/{name}',
  'CertificateManager::Certificate': 'arn:$P:acm:$R:$A:certificate/{uuid}',
  'CloudFormation::Stack': 'arn:$P:cloudformation:$R:$A:stack/{name}/{uuid}',
  'CloudFormation::WaitCondition': 'arn:$P:cloudformation:$R:$A:stack/{stack}/{uuid}/{logical}',
  'CloudFormation::WaitConditionHandle': 'https://cloudformation-waitcondition-$R.s3.$R.$U/{logical}?{hex:32}',
  'CloudFront::CloudFrontOriginAccessIdentity': 'E{up:13}',
  'CloudFront::Distribution': 'E{up:13}',
  'CloudFront::OriginAccessControl': 'E{up:13}',
  'CloudFront::Function': 'arn:$P:cloudfront::$A:function/{name}',
  'Cognito::IdentityPool': '$R:{uuid}',
  'Cognito::UserPool': '$R_{mixed:9}',
  'Cognito::UserPoolClient': '{low:26}',
  'EC2::CustomerGateway': 'cgw-{hex:17}',
  'EC2::DHCPOptions': 'dopt-{hex:17}',
  'EC2::EgressOnlyInternetGateway': 'eigw-{hex:17}',
  'EC2::EIP': '{ip}',
  'EC2::EIPAssociation': 'eipassoc-{hex:17}',
  'EC2::FlowLog': 'fl-{hex:17}',
  'EC2::Instance': 'i-{hex:17}',
  'EC2::InternetGateway': 'igw-{hex:17}',
  'EC2::LaunchTemplate': 'lt-{hex:17}',
  'EC2::NatGateway': 'nat-{hex:17}',
  'EC2::NetworkAcl': 'acl-{hex:17}',
  'EC2::NetworkAclEntry': '{name}',
  'EC2::NetworkInterface': 'eni-{hex:17}',
  'EC2::PrefixList': 'pl-{hex:17}',
  'EC2::Route': '{RouteTableId}|{DestinationCidrBlock|{DestinationIpv6CidrBlock|{DestinationPrefixListId}}}',
  'EC2::RouteTable': 'rtb-{hex:17}',
  'EC2::SecurityGroup': 'sg-{hex:17}',
  'EC2::SecurityGroupEgress': 'sgr-{hex:17}',
  'EC2::SecurityGroupIngress': 'sgr-{hex:17}',
  'EC2::Subnet': 'subnet-{hex:17}',
  'EC2::SubnetCidrBlock': 'subnet-cidr-assoc-{hex:17}',
  'EC2::SubnetNetworkAclAssociation': 'aclassoc-{hex:17}',
  'EC2::SubnetRouteTableAssociation': 'rtbassoc-{hex:17}',
  'EC2::TransitGateway': 'tgw-{hex:17}',
  'EC2::TransitGatewayAttachment': 'tgw-attach-{hex:17}',
  'EC2::TransitGatewayRouteTable': 'tgw-rtb-{hex:17}',
  'EC2::Volume': 'vol-{hex:17}',
  'EC2::VPC': 'vpc-{hex:17}',
  'EC2::VPCCidrBlock': 'vpc-cidr-assoc-{hex:17}',
  'EC2::VPCEndpoint': 'vpce-{hex:17}',
  'EC2::VPCEndpointService': 'vpce-svc-{hex:17}',
  'EC2::VPCGatewayAttachment': 'IGW|{VpcId}',
  'EC2::VPCPeeringConnection': 'pcx-{hex:17}',
  'EC2::VPNConnection': 'vpn-{hex:17}',
  'EC2::VPNGateway': 'vgw-{hex:17}',
  'ECS::Service': 'arn:$P:ecs:$R:$A:service/{tail:Cluster|default}/{name}',
  'ECS::TaskDefinition': 'arn:$P:ecs:$R:$A:task-definition/{name}:{n}',
  'EFS::AccessPoint': 'fsap-{hex:17}',
  'EFS::FileSystem': 'fs-{hex:17}',
  'EFS::MountTarget': 'fsmt-{hex:17}',
  'ElasticLoadBalancingV2::TargetGroup': 'arn:$P:elasticloadbalancing:$R:$A:targetgroup/{name}/{hex:16}',
  'Events::Rule': '{name}',
  'IAM::AccessKey': 'AKIA{up:16}',
  'IAM::ManagedPolicy': 'arn:$P:iam::$A:policy/{name}',
  'IAM::Policy': '{generated}',
  'KMS::Key': '{uuid}',
  'KMS::ReplicaKey': '{uuid}',
  'Lambda::Alias': '{arn:FunctionName:lambda:function:}:{Name}',
  'Lambda::EventSourceMapping': '{uuid}',
  'Lambda::LayerVersion': 'arn:$P:lambda:$R:$A:layer:{LayerName|{name}}:{n}',
  'Lambda::Permission': '{generated}',
  'Lambda::Url': '{arn:TargetFunctionArn:lambda:function:}',
  'Lambda::Version': '{arn:FunctionName:lambda:function:}:{n}',
  'MSK::Cluster': 'arn:$P:kafka:$R:$A:cluster/{ClusterName|{name}}/{uuid}-{digits:1}',
  'Route53::HostedZone': 'Z{up:20}',
  'Route53::RecordSet': '{Name}',
  'SecretsManager::Secret': 'arn:$P:secretsmanager:$R:$A:secret:{name}-{mixed:6}',
  'SecretsManager::SecretTargetAttachment': '{SecretId}',
  'Serverless::Application': 'arn:$P:cloudformation:$R:$A:stack/{name}/{uuid}',
  'Serverless::LayerVersion': 'arn:$P:lambda:$R:$A:layer:{LayerName|{name}}:{n}',
  'Serverless::StateMachine': 'arn:$P:states:$R:$A:stateMachine:{name}',
  'ServiceDiscovery::HttpNamespace': 'ns-{low:16}',
  'ServiceDiscovery::PrivateDnsNamespace': 'ns-{low:16}',
  'ServiceDiscovery::PublicDnsNamespace': 'ns-{low:16}',
  'ServiceDiscovery::Service': 'srv-{low:16}',
  'SNS::Subscription': '{TopicArn}:{uuid}',
  'SNS::Topic': 'arn:$P:sns:$R:$A:{name}',
  'SQS::Queue': 'https://sqs.$R.$U/$A/{name}',
  'StepFunctions::Activity': 'arn:$P:states:$R:$A:activity:{name}',
  'StepFunctions::StateMachine': 'arn:$P:states:$R:$A:stateMachine:{name}',
  'WAFv2::IPSet': '{name}|{uuid}|{Scope}',
  'WAFv2::RegexPatternSet': '{name}|{uuid}|{Scope}',
  'WAFv2::RuleGroup': '{name}|{uuid}|{Scope}',
  'WAFv2::WebACL': '{name}|{uuid}|{Scope}',
}

function idOf(it: Named): string {
  const balanced = balancerId(it)
  if (balanced !== undefined) return balanced
  const shape = Object.hasOwn(ids, it.kind) ? ids[it.kind] : undefined
  if (shape !== undefined) return fill(shape, it, 'id')
  const [first = ''] = it.known?.identifier ?? []
  if (/arn$/i.test(first)) return arnOf(it)
  if (first === '' || first === 'Id' || !first.endsWith('Id') || it.known?.properties.has(first) === true)
    return it.name
  return fill(it.kind.startsWith('ApiGateway') ? '{low:10}' : '{low:16}', it, 'id')
}

/** Listeners and rules carry the path of their load balancer. */
function balancerId(it: Named): string | undefined {
  const family = 'arn:$P:elasticloadbalancing:$R:$A:'
  switch (it.kind) {
    case 'ElasticLoadBalancingV2::LoadBalancer':
      return fill(`${family}loadbalancer/${balancerKind(it)}/{name}/{hex:16}`, it, 'id')
    case 'ElasticLoadBalancingV2::Listener': {
      const of = /:loadbalancer\/(.+)$/.exec(textOf(it, 'LoadBalancerArn'))?.[1]
      return fill(`${family}listener/${of ?? 'app/{name}/{hex:16}'}/{hex:16}`, it, 'listener')
    }
    case 'ElasticLoadBalancingV2::ListenerRule': {
      const of = /:listener\/(.+)$/.exec(textOf(it, 'ListenerArn'))?.[1]
      return fill(`${family}listener-rule/${of ?? 'app/{name}/{hex:16}'}/{hex:16}`, it, 'rule')
    }
    default:
      return undefined
  }
}

function balancerKind(it: Named): string {
  const type = textOf(it, 'Type')
  return type === 'network' ? 'net' : type === 'gateway' ? 'gwy' : 'app'
}

/** Attributes that have a form of their own, by type and name; `{id}` is what `Ref` returns. */
const attributes: Readonly<Record<string, string>> = {
  'ApiGateway::DomainName.RegionalDomainName': 'd-{low:10}.execute-api.$R.$U',
  'ApiGateway::RestApi.RootResourceId': '{low:10}',
  'ApiGatewayV2::Api.ApiEndpoint': 'https://{id}.execute-api.$R.$U',
  'ApiGatewayV2::Api.ExecuteApiArn': 'arn:$P:execute-api:$R:$A:{id}',
  'ApiGatewayV2::DomainName.RegionalDomainName': 'd-{low:10}.execute-api.$R.$U',
  'AppRunner::Service.ServiceUrl': '{low:10}.$R.awsapprunner.com',
  'CloudFront::CloudFrontOriginAccessIdentity.S3CanonicalUserId': '{hex:96}',
  'CloudFront::Distribution.DomainName': 'd{low:13}.cloudfront.net',
  'Cognito::UserPool.ProviderName': 'cognito-idp.$R.$U/{id}',
  'Cognito::UserPool.ProviderURL': 'https://cognito-idp.$R.$U/{id}',
  'DynamoDB::Table.StreamArn': 'arn:$P:dynamodb:$R:$A:table/{id}/stream/2026-01-01T00:00:00.000',
  'EC2::EIP.AllocationId': 'eipalloc-{hex:17}',
  'EC2::Instance.PrivateDnsName': 'ip-10-0-0-{octet}.$R.compute.internal',
  'EC2::Instance.PrivateIp': '10.0.0.{octet}',
  'EC2::Instance.PublicDnsName': 'ec2-{hex:8}.$R.compute.$U',
  'EC2::Instance.PublicIp': '{ip}',
  'EC2::LaunchTemplate.DefaultVersionNumber': '1',
  'EC2::LaunchTemplate.LatestVersionNumber': '1',
  'EC2::NatGateway.EniId': 'eni-{hex:17}',
  'EC2::NetworkInterface.PrimaryPrivateIpAddress': '10.0.0.{octet}',
  'EC2::SecurityGroup.GroupId': '{id}',
  'EC2::SecurityGroup.Id': '{id}',
  'EC2::Subnet.NetworkAclAssociationId': 'aclassoc-{hex:17}',
  'EC2::VPC.DefaultNetworkAcl': 'acl-{hex:17}',
  'EC2::VPC.DefaultSecurityGroup': 'sg-{hex:17}',
  'ECR::Repository.RepositoryUri': '$A.dkr.ecr.$R.$U/{id}',
  'ECS::Service.Name': '{name}',
  'ElastiCache::CacheCluster.ConfigurationEndpoint.Address': '{id}.{low:6}.cfg.cache.$U',
  'ElastiCache::CacheCluster.RedisEndpoint.Address': '{id}.{low:6}.0001.cache.$U',
  'ElastiCache::ReplicationGroup.ConfigurationEndPoint.Address': 'clustercfg.{id}.{low:6}.cache.$U',
  'ElastiCache::ReplicationGroup.PrimaryEndPoint.Address': 'master.{id}.{low:6}.cache.$U',
  'ElastiCache::ReplicationGroup.ReadEndPoint.Addresses': '[{id}-001.{low:6}.cache.$U]',
  'ElastiCache::ReplicationGroup.ReaderEndPoint.Address': 'replica.{id}.{low:6}.cache.$U',
  'ElastiCache::ServerlessCache.Endpoint.Address': '{id}-{low:6}.serverless.cache.$U',
  'ElastiCache::ServerlessCache.ReaderEndpoint.Address': '{id}-{low:6}.serverless.cache.$U',
  'ElasticLoadBalancingV2::LoadBalancer.CanonicalHostedZoneID': 'Z{up:13}',
  'ElasticLoadBalancingV2::LoadBalancer.LoadBalancerName': '{name}',
  'ElasticLoadBalancingV2::TargetGroup.TargetGroupName': '{name}',
  'IAM::Role.RoleId': 'AROA{up:17}',
  'IAM::User.Arn': 'arn:$P:iam::$A:user/{id}',
  'KMS::Key.KeyId': '{id}',
  'Kinesis::Stream.Arn': 'arn:$P:kinesis:$R:$A:stream/{id}',
  'Lambda::Url.FunctionUrl': 'https://{low:32}.lambda-url.$R.on.aws/',
  'Logs::LogGroup.Arn': 'arn:$P:logs:$R:$A:log-group:{id}:*',
  'OpenSearchService::Domain.DomainEndpoint': 'search-{id}-{low:26}.$R.es.$U',
  'RDS::DBCluster.Endpoint.Address': '{id}.cluster-{low:12}.$R.rds.$U',
  'RDS::DBCluster.ReadEndpoint.Address': '{id}.cluster-ro-{low:12}.$R.rds.$U',
  'RDS::DBInstance.Endpoint.Address': '{id}.{low:12}.$R.rds.$U',
  'RDS::DBProxy.Endpoint': '{id}.proxy-{low:12}.$R.rds.$U',
  'S3::Bucket.DomainName': '{id}.s3.$U',
  'S3::Bucket.DualStackDomainName': '{id}.s3.dualstack.$R.$U',
  'S3::Bucket.RegionalDomainName': '{id}.s3.$R.$U',
  'S3::Bucket.WebsiteURL': 'http://{id}.s3-website-$R.$U',
  'ServiceDiscovery::PrivateDnsNamespace.HostedZoneId': 'Z{up:20}',
  'ServiceDiscovery::PublicDnsNamespace.HostedZoneId': 'Z{up:20}',
  'ServiceDiscovery::Service.Name': '{Name|{name}}',
  'SNS::Topic.TopicName': '{name}',
  'SQS::Queue.Arn': 'arn:$P:sqs:$R:$A:{name}',
  'SQS::Queue.QueueName': '{name}',
  'StepFunctions::StateMachine.Name': '{name}',
}

function attributeOf(it: Named, attribute: string, form: AttributeKind): Data {
  const key = `${it.kind}.${attribute}`
  const shape = Object.hasOwn(attributes, key) ? attributes[key] : undefined
  if (shape !== undefined) return fill(shape, it, attribute)
  const computed = computedAttribute(it, attribute)
  if (computed !== undefined) return computed
  if (it.known?.identifier[0] === attribute) return it.physicalId
  const property = own(it.properties, attribute)
  const text = scalarText(property)
  if (text !== undefined) return text
  if (isList(property)) return property
  switch (form) {
    case 'number':
      return 1
    case 'boolean':
      return false
    case 'list':
      return [fill('{low:12}', it, attribute)]
    case 'other':
      return wholeAttribute(it, attribute)
    case 'text':
      return textAttribute(it, attribute)
  }
}

function computedAttribute(it: Named, attribute: string): Data | undefined {
  const { region } = it.stack
  switch (`${it.kind}.${attribute}`) {
    case 'EC2::Subnet.AvailabilityZone':
      return scalarText(own(it.properties, 'AvailabilityZone')) ?? zonesOf(region)[0]
    case 'EC2::Subnet.Ipv6CidrBlocks':
    case 'EC2::VPC.Ipv6CidrBlocks': {
      const block = scalarText(own(it.properties, 'Ipv6CidrBlock'))
      return block === undefined ? [] : [block]
    }
    case 'EC2::VPC.CidrBlockAssociations':
      return [fill('vpc-cidr-assoc-{hex:17}', it, attribute)]
    case 'EC2::VPCEndpoint.DnsEntries':
      return [fill('Z{up:13}:{id}-{low:8}.vpce.$R.vpce.$U', it, attribute)]
    case 'EC2::VPCEndpoint.NetworkInterfaceIds':
      return [fill('eni-{hex:17}', it, attribute)]
    case 'ElasticLoadBalancingV2::LoadBalancer.DNSName': {
      const internal = textOf(it, 'Scheme') === 'internal' ? 'internal-' : ''
      const network = balancerKind(it) === 'net'
      return fill(network ? '{name}-{hex:16}.elb.$R.$U' : `${internal}{name}-{digits:10}.$R.elb.$U`, it, attribute)
    }
    case 'ElasticLoadBalancingV2::LoadBalancer.LoadBalancerFullName':
      return it.physicalId.slice(it.physicalId.indexOf(':loadbalancer/') + ':loadbalancer/'.length)
    case 'ElasticLoadBalancingV2::LoadBalancer.SecurityGroups':
      return [fill('sg-{hex:17}', it, attribute)]
    case 'ElasticLoadBalancingV2::TargetGroup.TargetGroupFullName':
      return it.physicalId.slice(it.physicalId.indexOf(':targetgroup/') + 1)
    case 'ElasticLoadBalancingV2::TargetGroup.LoadBalancerArns':
      return []
    case 'Route53::HostedZone.NameServers':
      return ['com', 'net', 'org', 'co.uk'].map((end) =>
        fill(`ns-{digits:3}.awsdns-{digits:2}.${end}`, it, `${attribute} ${end}`),
      )
    default:
      return undefined
  }
}

/** A map of which parts are attributes of their own: `Endpoint` of `Endpoint.Address` and `Endpoint.Port`. */
function wholeAttribute(it: Named, attribute: string): DataMap {
  const parts = [...(it.known?.attributes ?? [])].filter(([name]) => name.startsWith(`${attribute}.`))
  return mapOf(parts.map(([name, form]) => [name.slice(attribute.length + 1), attributeOf(it, name, form)] as const))
}

const ports: readonly (readonly [RegExp, string])[] = [
  [/postgres/, '5432'],
  [/mysql|mariadb|aurora/, '3306'],
  [/oracle/, '1521'],
  [/sqlserver/, '1433'],
  [/memcached/, '11211'],
  [/redis|valkey/, '6379'],
]

/** What remains goes by the ending of the attribute's name. */
function textAttribute(it: Named, attribute: string): string {
  const last = attribute.split('.').at(-1) ?? attribute
  if (attribute === 'Arn' || attribute === 'ARN' || it.known?.identifier.includes(attribute) === true) {
    if (/arn$/i.test(attribute)) return it.physicalId.startsWith('arn:') ? it.physicalId : arnOf(it)
  }
  if (/arn$/i.test(last)) {
    const own = last.replace(/arn$/i, '') === it.kind.split('::')[1]
    return own
      ? it.physicalId.startsWith('arn:')
        ? it.physicalId
        : arnOf(it)
      : `${arnOf(it)}/${fill('{low:12}', it, attribute)}`
  }
  if (/Ports?$/.test(last)) {
    const engine = `${textOf(it, 'Engine')} ${it.kind.toLowerCase()}`
    return (
      scalarText(own(it.properties, 'Port')) ??
      ports.find(([words]) => words.test(engine))?.[1] ??
      (it.kind.startsWith('ElastiCache') ? '6379' : '443')
    )
  }
  if (/(Name)$/.test(last) && last !== 'DomainName') return it.name
  if (/(Address|Endpoint|DomainName|DNSName|Url|URL)$/.test(last)) {
    const host = fill('{low:12}.$R.$U', it, attribute)
    return /(Url|URL)$/.test(last) ? `https://${host}` : host
  }
  if (attribute === 'Id') return it.physicalId
  if (last.endsWith('Id')) return fill('{low:16}', it, attribute)
  if (/(Time|Date|At)$/.test(last)) return '2026-01-01T00:00:00Z'
  if (/(Status|State)$/.test(last)) return 'ACTIVE'
  if (last.endsWith('Version')) return '1'
  return fill('{low:12}', it, attribute)
}

/** The ARN by the type's own form where the specification has one. */
function arnOf(it: Named): string {
  const last = it.physicalId.includes('/') || it.physicalId === '' ? it.name : it.physicalId
  const template = it.known?.arn
  if (template !== undefined) return fill(template.replaceAll('$N', '{named}'), { ...it, name: last }, 'arn')
  const [service = '', kind = ''] = it.kind.toLowerCase().split('::')
  return fill(`arn:$P:${service}:$R:$A:${kind}/{named}`, { ...it, name: last }, 'arn')
}

function textOf(it: Named, property: string): string {
  return scalarText(own(it.properties, property)) ?? ''
}

const innermost = /\{([^{}|]+)(?:\|([^{}]*))?\}/

/** Fills a shape in, from the inside out. `purpose` keeps the derived characters of one resource apart. */
function fill(shape: string, it: Named, purpose: string): string {
  let text = withNames(shape, it)
  for (let count = 0, match = innermost.exec(text); match !== null; match = innermost.exec(text), count += 1) {
    const [whole, word = '', otherwise = ''] = match
    const value = filling(word, it, `${purpose} ${count}`)
    const filled = value === '' ? otherwise : value
    const clean = /[{}]/.test(filled) ? filled.replaceAll(/[{}]/g, '') : filled
    text = `${text.slice(0, match.index)}${clean}${text.slice(match.index + whole.length)}`
  }
  return text
}

/** A shape with partition, region, account and URL suffix in their places. */
function withNames(shape: string, { stack: { account, region } }: Named): string {
  if (!shape.includes('$')) return shape
  const { partition, urlSuffix } = partitionOf(region)
  return shape.replaceAll(/\$[PRAU]/g, (mark) => {
    switch (mark) {
      case '$P':
        return partition
      case '$R':
        return region
      case '$A':
        return account
      default:
        return urlSuffix
    }
  })
}

function filling(word: string, it: Named, purpose: string): string {
  const [head = '', ...rest] = word.split(':')
  const seed = `${seedOf(it)}\n${purpose}`
  const length = Number(rest[0] ?? 0)
  switch (head) {
    case 'hex':
      return randomText(seed, length, '0123456789abcdef')
    case 'low':
      return randomText(seed, length, 'abcdefghijklmnopqrstuvwxyz0123456789')
    case 'up':
      return randomText(seed, length, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
    case 'mixed':
      return randomText(seed, length, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
    case 'digits':
      return randomText(seed, length, '123456789')
    case 'octet':
      return String(10 + (Number.parseInt(randomText(seed, 4, '0123456789abcdef'), 16) % 240))
    // 203.0.113.0/24 is set aside for documentation (RFC 5737): nobody is ever called by it.
    case 'ip':
      return `203.0.113.${1 + (Number.parseInt(randomText(seed, 4, '0123456789abcdef'), 16) % 254)}`
    case 'uuid':
      return uuidOf(seed)
    case 'name':
    case 'named':
      return it.name
    case 'generated':
      return nameOf({ ...it, properties: {} }, undefined)
    case 'id':
      return it.physicalId
    case 'n':
      return String(it.generation)
    case 'stack':
      return it.stack.name
    case 'logical':
      return it.logicalId
    case 'tail':
      return (
        textOf(it, rest[0] ?? '')
          .split('/')
          .at(-1) ?? ''
      )
    case 'arn': {
      const [property = '', service = '', kind = ''] = rest
      const given = textOf(it, property)
      const { partition } = partitionOf(it.stack.region)
      return given.startsWith('arn:')
        ? given
        : `arn:${partition}:${service}:${it.stack.region}:${it.stack.account}:${kind}:${given}`
    }
    default:
      return textOf(it, head)
  }
}

function seedOf({ stack, logicalId, generation }: Pick<Unnamed, 'stack' | 'logicalId' | 'generation'>): string {
  return `${stack.account}\n${stack.region}\n${stack.name}\n${logicalId}\n${generation}`
}

/** Characters of an alphabet, derived from a seed; each is a digest's byte, so that a seed gives the same on every machine. */
function randomText(seed: string, length: number, alphabet: string): string {
  let text = ''
  for (let round = 0; text.length < length; round += 1) {
    const hex = sha256(`${seed}\n${round}`)
    for (let index = 0; index < hex.length && text.length < length; index += 2) {
      text += alphabet.charAt((16 * digitAt(hex, index) + digitAt(hex, index + 1)) % alphabet.length)
    }
  }
  return text
}

/** The value of a hexadecimal digit in lower case. */
function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index)
  return code < 58 ? code - 48 : code - 87
}

function uuidOf(seed: string): string {
  const hex = sha256(seed)
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
