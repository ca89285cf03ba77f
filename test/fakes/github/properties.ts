import { isList, type Json, type JsonMap, listAt, text } from './json.ts'
import { fullNameOf, type Repository } from './state.ts'
import { type Answer, type Call, Failure, type Handler, listed, type World } from './world.ts'

/** What an organisation has written on its repositories. */
export const propertiesHandlers: Readonly<Record<string, Handler>> = {
  'orgs/custom-properties-for-repos-create-or-update-organization-values': setProperties,
  'orgs/custom-properties-for-repos-get-organization-values': (world, call) => {
    const views = Object.values(world.state.repositories)
      .filter(({ owner }) => owner === call.parameters['org'])
      .filter((repository) => isAsked(repository, call.query.get('repository_query')))
      .map(propertiesView)
    return listed(world, call, views)
  },
}

function propertiesView(repository: Repository): JsonMap {
  const values = Object.entries(repository.settings?.properties ?? {})
  return {
    repository_id: repository.id,
    repository_name: repository.name,
    repository_full_name: fullNameOf(repository),
    properties: values.map(([name, value]): Json => ({
      property_name: name,
      value: typeof value === 'string' ? value : [...value],
    })),
  }
}

/** `props.<name>:<value>`; of the other words of a query none is known here. */
function isAsked({ settings }: Repository, query: string | null): boolean {
  return (query ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .every((word) => {
      const [, name, wanted] = /^props\.([^:]+):(.+)$/.exec(word) ?? []
      if (name === undefined) throw new Failure(422, `The local GitHub does not know "${word}" in a repository_query`)
      return [settings?.properties?.[name]].flat().includes(wanted)
    })
}

function setProperties(world: World, call: Call): Answer {
  const names = listAt(call.body, 'repository_names').filter((name) => typeof name === 'string')
  if (names.length > 30) throw new Failure(422, 'There can be at most 30 repositories.')
  for (const name of names) {
    const key = `${call.parameters['org']}/${name}`
    const repository = world.state.repositories[key]
    if (repository === undefined) throw new Failure(404, 'Not Found')
    const properties: Record<string, string | readonly string[]> = { ...repository.settings?.properties }
    for (const property of listAt(call.body, 'properties')) {
      const field = text(property, 'property_name')
      const value = valueOf(property)
      if (value === undefined) delete properties[field]
      else properties[field] = value
    }
    world.state.repositories[key] = { ...repository, settings: { ...repository.settings, properties } }
  }
  return { status: 204 }
}

/** `undefined` takes the property away. */
function valueOf(property: Json): string | readonly string[] | undefined {
  const value = typeof property === 'object' && property !== null && 'value' in property ? property.value : undefined
  if (typeof value === 'string') return value
  return isList(value) ? value.map(String) : undefined
}
