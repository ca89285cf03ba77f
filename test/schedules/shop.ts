import type { FileTree } from '../../src/core/tree.ts'
import { small } from '../commands/organisation.ts'

/** What a service asks for. */
export type Wish = {
  readonly size: number
  /** Its table, which holds data. */
  readonly hasTable: boolean
}

export const stages = ['dev', 'staging', 'prod'] as const
export type StageName = (typeof stages)[number]

export const services = ['cart', 'mail'] as const
export type ServiceName = (typeof services)[number]

export type Wishes = Readonly<Record<ServiceName, Wish>>

export const minutes = 60_000
/** How long what comes after a stage waits. */
export const soaks: Readonly<Record<StageName, number>> = { dev: 30 * minutes, staging: 20 * minutes, prod: 0 }

/** More than this breaks the rule of production. */
export const mostInProduction = 60

/** The freeze of each week in production, in UTC. */
export function isFrozen(time: number): boolean {
  const date = new Date(time)
  const [day, hour] = [date.getUTCDay(), date.getUTCHours()]
  return (day === 5 && hour >= 16) || day === 6 || day === 0 || (day === 1 && hour < 8)
}

const gates = `freezes:
  - { name: weekend, every: 'fri 16:00 - mon 08:00', zone: UTC, stages: [prod], reason: Nobody is there }
glass: { by: ["@acme/oncall"] }
locks: { by: ["@acme/platform"] }
policy:
  rules:
    - { name: policy-unretained-store, severity: none }
    - { name: short-delays, stages: [prod], resources: AWS::SQS::Queue, property: DelaySeconds, at_most: ${mostInProduction} }
`

const table = `{%- if service_instance.inputs.topics == 1 %}
  Table: { Type: AWS::DynamoDB::Table, Properties: { BillingMode: PAY_PER_REQUEST } }
{%- endif %}
{%- for`

/** Two services through three stages: soaks before both of the later, a freeze, an approval and a rule before production. */
export function shop(wishes: Wishes): FileTree {
  const tree = small({
    stages,
    services: Object.fromEntries(
      services.map((name) => [name, { size: wishes[name].size, topics: wishes[name].hasTable ? 1 : 2 }]),
    ),
    approval: ['prod'],
    provisioner: 'cloudformation',
  })
  return new Map([...tree].map(([path, text]) => [path, adapted(path, text)]))
}

function adapted(path: string, text: string): string {
  if (path === 'catalog.yaml')
    return (
      text
        .replace('environment: dev }', 'environment: dev, soak: 30m }')
        .replace('environment: staging }', 'environment: staging, soak: 20m }')
        .replace('environment: prod,', 'environment: prod, production: true,') + gates
    )
  return text.replace('{%- for', table)
}
