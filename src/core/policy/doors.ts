import { isMap } from '../data.ts'
import {
  elements,
  type Finding,
  isIntrinsic,
  portOf,
  properties,
  reach,
  type Resource,
  type Resources,
  type Spot,
  targetOf,
} from './resources.ts'

const balancerType = 'AWS::ElasticLoadBalancingV2::LoadBalancer'
const listenerType = 'AWS::ElasticLoadBalancingV2::Listener'

export function ingress(resource: Resource, resources: Resources): Finding[] {
  if (!resource.type.startsWith('AWS::EC2::SecurityGroup')) return []
  const rules =
    resource.type === 'AWS::EC2::SecurityGroup'
      ? elements(properties(resource, 'SecurityGroupIngress')).map((rule) => ({ rule, group: resource.id }))
      : resource.type === 'AWS::EC2::SecurityGroupIngress'
        ? properties(resource).map((rule) => ({ rule, group: groupOf(resource) }))
        : []
  return rules.flatMap(({ rule, group }) =>
    ['CidrIp', 'CidrIpv6'].flatMap((key) =>
      reach(rule, key).flatMap(({ value, path }): Finding[] => {
        if (typeof value !== 'string' || !/\/0+$/u.test(value)) return []
        if (isPublicDoor(rule, group, resources)) return []
        return [
          {
            code: 'policy-open-ingress',
            path,
            message: `${resource.id} lets everybody in (${value}) on ${ports(rule)}.`,
            expected:
              'Another security group as the source. Only a public load balancer takes everybody, on the ports 80 and 443 that it listens on.',
            remedy: 'Write `SourceSecurityGroupId:` with the group of the load balancer or of the caller.',
          },
        ]
      }),
    ),
  )
}

function groupOf(resource: Resource): string | undefined {
  return properties(resource, 'GroupId').map(({ value }) => targetOf(value))[0]
}

function ports({ value }: Spot): string {
  if (!isMap(value)) return 'any port'
  const [from, to] = [portOf(value['FromPort']), portOf(value['ToPort'])]
  if (from === undefined || to === undefined || value['IpProtocol'] === '-1') return 'any port'
  return from === to ? `port ${from}` : `the ports ${from} to ${to}`
}

/** Whether a rule is the door of an internet-facing load balancer: its group, and a port (80 or 443) it listens on. */
function isPublicDoor({ value: rule }: Spot, group: string | undefined, resources: Resources): boolean {
  if (!isMap(rule) || group === undefined) return false
  const port = portOf(rule['FromPort'])
  if (port !== portOf(rule['ToPort']) || (port !== 80 && port !== 443)) return false
  if (rule['IpProtocol'] !== 'tcp' && portOf(rule['IpProtocol']) !== 6) return false
  const holders = [...resources.values()].filter(
    (other) =>
      other.type === balancerType &&
      elements(properties(other, 'SecurityGroups')).some(({ value }) => targetOf(value) === group),
  )
  if (holders.length === 0) return false
  return holders.every(
    (balancer) =>
      isPublic(balancer) &&
      [...resources.values()].some(
        (other) =>
          other.type === listenerType &&
          properties(other, 'LoadBalancerArn').some(({ value }) => targetOf(value) === balancer.id) &&
          properties(other, 'Port').some(({ value }) => portOf(value) === port),
      ),
  )
}

/** A load balancer is internet-facing unless it says `internal`. */
function isPublic(balancer: Resource): boolean {
  return properties(balancer, 'Scheme').some(({ value }) => value === undefined || value === 'internet-facing')
}

/**
 * Policies of load balancers that take TLS 1.2 or later alone.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
 */
const modernTls = /^ELBSecurityPolicy-(?:TLS13-1-[23]-|TLS-1-2-|FS-1-2-)/u

export function listener(resource: Resource, resources: Resources): Finding[] {
  if (resource.type !== listenerType) return []
  const balancers = properties(resource, 'LoadBalancerArn').map(({ value }) => resources.get(targetOf(value) ?? ''))
  if (!balancers.some((balancer) => balancer?.type === balancerType && isPublic(balancer))) return []
  const findings: Finding[] = []
  for (const { value, path } of properties(resource, 'Protocol')) {
    if (value === 'HTTP' && !redirects(resource)) {
      findings.push({
        code: 'policy-public-listener',
        path,
        message: `${resource.id} answers the internet without encryption.`,
        expected: 'A listener by HTTP that sends everything on to HTTPS.',
        remedy: 'Make its default action a `redirect` with `Protocol: HTTPS`, and answer on an HTTPS listener.',
      })
    }
    if (value !== 'HTTPS' && value !== 'TLS') continue
    for (const policy of properties(resource, 'SslPolicy')) {
      if (isIntrinsic(policy.value) || (typeof policy.value === 'string' && modernTls.test(policy.value))) continue
      findings.push({
        code: 'policy-public-listener',
        path: policy.path,
        message: `${resource.id} takes versions of TLS older than 1.2.`,
        expected: '`SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06`, or another policy of TLS 1.2 and later.',
        remedy: 'Set the policy; the default of AWS takes TLS 1.0.',
      })
    }
  }
  return findings
}

function redirects(resource: Resource): boolean {
  const actions = elements(properties(resource, 'DefaultActions'))
  return (
    actions.length > 0 &&
    actions.every((action) => reach(action, 'RedirectConfig', 'Protocol').every(({ value }) => value === 'HTTPS'))
  )
}
