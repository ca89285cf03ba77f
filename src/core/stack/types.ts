import table from './types.generated.json' with { type: 'json' }

/** The kind of a resource's attribute; `other` is a number, a map or a list of maps. */
export type AttributeKind = 'text' | 'number' | 'boolean' | 'list' | 'other'

/** What is known of one resource type. Property paths are relative to `Properties`; `*` stands for an index or a key. */
export type ResourceType = {
  readonly name: string
  readonly attributes: ReadonlyMap<string, AttributeKind>
  readonly properties: ReadonlySet<string>
  /** "Update requires: Replacement". */
  readonly replaced: readonly string[]
  /** "Update requires: Some interruptions or replacement": it depends on what the cloud finds. */
  readonly perhapsReplaced: readonly string[]
  /** The properties or attributes that identify a resource; for most types `Ref` returns the first. */
  readonly identifier: readonly string[]
  /** The ARN with `$P` partition, `$R` region, `$A` account, `$N` name. */
  readonly arn: string | undefined
  readonly taggable: boolean
  /** Identified by more than a name (a stage of an API), so that two may have one name. */
  readonly composite: boolean
}

/**
 * Looks a type up in the cut of the public service specification. `known` has the details; `named` is a type of a service
 * outside the cut, of which the name alone is kept; `custom` is made by code in the account (`Custom::…`, a module or a
 * third-party type), of which nothing can be known.
 */
export type Lookup =
  | { readonly is: 'known'; readonly type: ResourceType }
  | { readonly is: 'named' }
  | { readonly is: 'custom' }
  | { readonly is: 'unknown' }

type Cut = {
  readonly a?: Readonly<Record<string, string>>
  readonly r?: readonly string[]
  readonly m?: readonly string[]
  readonly i?: readonly string[]
  readonly n?: string
  readonly p?: string
  readonly t?: 1
  readonly c?: 1
}

const services = new Map<string, string>(Object.entries(table.services))
const others = new Map<string, string>(Object.entries(table.others))
const parsed = new Map<string, ReadonlyMap<string, Cut>>()
const read = new Map<string, ResourceType>()

export function lookUpType(name: string): Lookup {
  const done = read.get(name)
  if (done !== undefined) return { is: 'known', type: done }
  const [vendor, service = '', kind = '', more] = name.split('::')
  if (vendor === 'Custom' || name === 'AWS::CloudFormation::CustomResource') return { is: 'custom' }
  // Names of modules and third-party types have the vendor first: `Acme::Web::Bucket::MODULE`.
  if (vendor !== 'AWS') return service === '' || kind === '' ? { is: 'unknown' } : { is: 'custom' }
  if (more !== undefined) return { is: 'unknown' }
  const found = cutsOf(service).get(kind)
  if (found !== undefined) {
    const type = typeOf(name, found)
    read.set(name, type)
    return { is: 'known', type }
  }
  return others.get(service)?.split(' ').includes(kind) === true ? { is: 'named' } : { is: 'unknown' }
}

/** The full names to look for a near one in: the types of the same service, or all services if there is no such service. */
export function typesNear(name: string): string[] {
  const [, service = ''] = name.split('::')
  const kinds = [...cutsOf(service).keys(), ...(others.get(service)?.split(' ') ?? [])]
  if (kinds.length > 0) return kinds.map((kind) => `AWS::${service}::${kind}`)
  return [...services.keys()].flatMap((each) => [...cutsOf(each).keys()].map((kind) => `AWS::${each}::${kind}`))
}

function cutsOf(service: string): ReadonlyMap<string, Cut> {
  const done = parsed.get(service)
  if (done !== undefined) return done
  const cuts: Readonly<Record<string, Cut>> = JSON.parse(services.get(service) ?? '{}')
  const map = new Map(Object.entries(cuts))
  parsed.set(service, map)
  return map
}

function typeOf(name: string, cut: Cut): ResourceType {
  return {
    name,
    attributes: new Map(Object.entries(cut.a ?? {}).map(([attribute, kind]) => [attribute, kindOf(kind)])),
    properties: new Set(cut.p?.split(' ')),
    replaced: cut.r ?? [],
    perhapsReplaced: cut.m ?? [],
    identifier: cut.i ?? [],
    arn: cut.n,
    taggable: cut.t === 1,
    composite: cut.c === 1,
  }
}

function kindOf(letter: string): AttributeKind {
  switch (letter) {
    case 's':
      return 'text'
    case 'n':
      return 'number'
    case 'b':
      return 'boolean'
    case 'l':
      return 'list'
    default:
      return 'other'
  }
}
