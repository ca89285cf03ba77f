import {
  type FieldNode,
  getArgumentValues,
  getNamedType,
  GraphQLInterfaceType,
  GraphQLObjectType,
  type GraphQLNamedType,
  type GraphQLSchema,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/** What an operation costs by GitHub's formula: a point for each hundred lists that it may look into, at least one. */
export type Cost = { readonly points: number; readonly nodes: number; readonly faults: readonly CostFault[] }

export type CostFault = { readonly type: string; readonly message: string; readonly path: string }

export type Costed = {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: { readonly [name: string]: unknown }
}

/** https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api */
export function costOf({ schema, document, operation, variables }: Costed): Cost {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each)
  }
  const faults: CostFault[] = []
  let lists = 0
  let nodes = 0

  function walk(set: SelectionSetNode | undefined, type: GraphQLNamedType | undefined, times: number): void {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const name = selection.typeCondition?.name.value
        walk(selection.selectionSet, name === undefined ? type : schema.getType(name), times)
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value)
        walk(fragment?.selectionSet, schema.getType(fragment?.typeCondition.name.value ?? ''), times)
      } else visit(selection, type, times)
    }
  }

  function visit(field: FieldNode, type: GraphQLNamedType | undefined, times: number): void {
    const name = field.name.value
    if (!(type instanceof GraphQLObjectType) && !(type instanceof GraphQLInterfaceType)) return
    const definition = type.getFields()[name]
    if (definition === undefined) return
    const args = getArgumentValues(definition, field, { ...variables })
    const inner = getNamedType(definition.type)
    const path = field.alias?.value ?? name
    if (inner.name.endsWith('Connection')) {
      const size = sizeOf(args)
      if (size === undefined) {
        const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`
        faults.push({ type: 'MISSING_PAGINATION_BOUNDARIES', message, path })
      } else if (size < 1 || size > 100) {
        const message = `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of 100 records.`
        faults.push({ type: 'EXCESSIVE_PAGINATION', message, path })
      }
      lists += times
      nodes += times * (size ?? 1)
      walk(field.selectionSet, inner, times * (size ?? 1))
      return
    }
    const { ids } = args
    if (type.name === 'Query' && name === 'nodes' && Array.isArray(ids)) {
      if (ids.length > 100) {
        const message = `You may not provide more than 100 node ids; you provided ${ids.length}.`
        faults.push({ type: 'ARGUMENT_LIMIT', message, path })
      }
      nodes += ids.length
      walk(field.selectionSet, inner, ids.length)
      return
    }
    walk(field.selectionSet, inner, times)
  }

  walk(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined, 1)
  if (nodes > 500_000) {
    const message = `This query requests up to ${nodes} possible nodes which exceeds the maximum limit of 500,000.`
    faults.push({ type: 'MAX_NODE_LIMIT_EXCEEDED', message, path: '' })
  }
  return { points: Math.max(1, Math.round(lists / 100)), nodes, faults }
}

function sizeOf({ first, last }: { readonly [name: string]: unknown }): number | undefined {
  return typeof first === 'number' ? first : typeof last === 'number' ? last : undefined
}
