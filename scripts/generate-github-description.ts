/**
 * Writes `test/fakes/github/description.generated.json`: what GitHub's own description says of the operations and events
 * that this project uses, as JSON Schemas. It is cut from `@octokit/openapi`, which is 385 MB and therefore fetched into a
 * temporary folder, by npm, and only if the cut is not current.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const version = '23.0.2'

/** By their ids, which are also the names of Octokit's methods. */
const operations = [
  'actions/create-workflow-dispatch',
  'actions/download-artifact',
  'actions/get-allowed-actions-repository',
  'actions/get-artifact',
  'actions/get-custom-oidc-sub-claim-for-repo',
  'actions/get-github-actions-permissions-repository',
  'actions/get-pending-deployments-for-run',
  'actions/get-repo-variable',
  'actions/get-reviews-for-run',
  'actions/get-workflow-access-to-repository',
  'actions/get-workflow-run',
  'actions/list-artifacts-for-repo',
  'actions/list-jobs-for-workflow-run',
  'actions/list-repo-organization-variables',
  'actions/list-workflow-run-artifacts',
  'actions/list-workflow-runs',
  'actions/list-workflow-runs-for-repo',
  'actions/re-run-job-for-workflow-run',
  'actions/review-pending-deployments-for-run',
  'apps/create-installation-access-token',
  'apps/get-authenticated',
  'apps/get-org-installation',
  'apps/get-repo-installation',
  'apps/list-repos-accessible-to-installation',
  'apps/revoke-installation-access-token',
  'checks/create',
  'checks/get',
  'checks/list-annotations',
  'checks/list-for-ref',
  'checks/update',
  'git/create-blob',
  'git/create-commit',
  'git/create-ref',
  'git/create-tag',
  'git/create-tree',
  'git/delete-ref',
  'git/get-blob',
  'git/get-commit',
  'git/get-ref',
  'git/get-tag',
  'git/get-tree',
  'git/list-matching-refs',
  'git/update-ref',
  'issues/add-labels',
  'issues/create',
  'issues/create-comment',
  'issues/create-label',
  'issues/delete-comment',
  'issues/get',
  'issues/get-comment',
  'issues/get-label',
  'issues/list-comments',
  'issues/list-for-repo',
  'issues/list-labels-for-repo',
  'issues/list-labels-on-issue',
  'issues/remove-label',
  'issues/set-labels',
  'issues/update',
  'issues/update-comment',
  'orgs/check-membership-for-user',
  'orgs/custom-properties-for-repos-create-or-update-organization-values',
  'orgs/custom-properties-for-repos-get-organization-values',
  'orgs/get',
  'orgs/get-membership-for-user',
  'orgs/list-app-installations',
  'orgs/list-members',
  'pulls/create',
  'pulls/create-review',
  'pulls/dismiss-review',
  'pulls/get',
  'pulls/list',
  'pulls/list-commits',
  'pulls/list-files',
  'pulls/list-reviews',
  'pulls/merge',
  'pulls/update',
  'rate-limit/get',
  'repos/codeowners-errors',
  'repos/compare-commits',
  'repos/create-commit-status',
  'repos/create-deployment',
  'repos/create-deployment-branch-policy',
  'repos/create-deployment-status',
  'repos/create-dispatch-event',
  'repos/create-or-update-environment',
  'repos/create-or-update-file-contents',
  'repos/create-release',
  'repos/get',
  'repos/get-all-environments',
  'repos/get-branch',
  'repos/get-branch-rules',
  'repos/get-collaborator-permission-level',
  'repos/get-combined-status-for-ref',
  'repos/get-commit',
  'repos/get-content',
  'repos/get-deployment',
  'repos/get-deployment-status',
  'repos/get-environment',
  'repos/get-latest-release',
  'repos/get-release',
  'repos/get-release-by-tag',
  'repos/get-repo-ruleset',
  'repos/get-repo-rulesets',
  'repos/list-branches',
  'repos/list-commit-statuses-for-ref',
  'repos/list-commits',
  'repos/list-deployment-branch-policies',
  'repos/list-deployment-statuses',
  'repos/list-deployments',
  'repos/list-pull-requests-associated-with-commit',
  'repos/list-releases',
  'repos/list-tags',
  'repos/update-release',
  'search/issues-and-pull-requests',
  'search/repos',
  'teams/get-by-name',
  'teams/get-membership-for-user-in-org',
  'teams/list-members-in-org',
  'users/get-authenticated',
  'users/get-by-username',
]

/** Payloads of events, by GitHub's names for the schemas of its webhooks. */
const events = [
  'pull-request-closed',
  'pull-request-converted-to-draft',
  'pull-request-opened',
  'pull-request-ready-for-review',
  'pull-request-reopened',
  'pull-request-review-submitted',
  'pull-request-synchronize',
  'push',
  'release-published',
  'workflow-dispatch',
  'workflow-run-completed',
  'workflow-run-requested',
]

type Value = string | number | boolean | null | readonly Value[] | Fields
type Fields = { readonly [key: string]: Value }

/** The words of a schema that are taken over as they are. */
const kept = new Set([
  'type',
  'required',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'additionalProperties',
])

const output = join(import.meta.dirname, '../test/fakes/github/description.generated.json')

if (import.meta.main && !isCurrent()) {
  const folder = mkdtempSync(join(tmpdir(), 'protium-github-'))
  try {
    const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund']
    execFileSync('npm', [...install, `@octokit/openapi@${version}`], { stdio: ['ignore', 'ignore', 'inherit'] })
    const text = readFileSync(join(folder, 'node_modules/@octokit/openapi/generated/api.github.com.json'), 'utf8')
    writeFileSync(output, `${JSON.stringify(cut(JSON.parse(text)))}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whether the cut was written by this very program from the version that it names. */
export function isCurrent(): boolean {
  if (!existsSync(output)) return false
  const { madeBy }: { madeBy?: string } = JSON.parse(readFileSync(output, 'utf8'))
  return madeBy === digest()
}

function digest(): string {
  return createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
}

function cut(description: Fields): Fields {
  const wanted = new Set<string>()
  const operationsCut = sorted(
    Object.entries(fields(description['paths'])).flatMap(([path, methods]) =>
      Object.entries(fields(methods)).flatMap(([method, operation]): [string, Value][] => {
        const id = fields(operation)['operationId']
        return typeof id === 'string' && operations.includes(id)
          ? [[id, cutOperation({ method, path, operation: fields(operation) }, description, wanted)]]
          : []
      }),
    ),
  )
  const missing = operations.filter((id) => !(id in operationsCut))
  if (missing.length > 0) throw new Error(`GitHub's description has no ${missing.join(', ')}`)

  const hooks = fields(description['x-webhooks'])
  const eventsCut = sorted(
    events.map((name) => {
      const hook = fields(fields(hooks[name])['post'])
      return [name, schemaOf(content(hook['requestBody'], description), wanted)]
    }),
  )

  const schemas: Record<string, Value> = {}
  const components = fields(fields(description['components'])['schemas'])
  for (const name of wanted) schemas[name] = schemaOf(components[name] ?? {}, wanted)
  return {
    source: `@octokit/openapi ${version}, api.github.com.json (GitHub's OpenAPI description, github/rest-api-description)`,
    licence: 'MIT, Copyright (c) GitHub 2020 and Copyright (c) 2020 Gregor Martynus',
    generator: 'scripts/generate-github-description.ts',
    madeBy: digest(),
    operations: operationsCut,
    events: eventsCut,
    schemas: sorted(Object.entries(schemas)),
  }
}

type Operation = { readonly method: string; readonly path: string; readonly operation: Fields }

function cutOperation({ method, path, operation }: Operation, description: Fields, wanted: Set<string>): Fields {
  const body = operation['requestBody'] === undefined ? undefined : resolved(operation['requestBody'], description)
  const responses = Object.entries(fields(operation['responses'])).filter(([status]) => status < '400')
  return {
    method: method.toUpperCase(),
    path,
    parameters: list(operation['parameters'] ?? []).map((parameter) => {
      const { name, in: where, required, schema } = resolved(parameter, description)
      return {
        name: name ?? '',
        in: where ?? '',
        ...(required === true ? { required } : {}),
        schema: schemaOf(schema ?? {}, wanted),
      }
    }),
    ...(body === undefined
      ? {}
      : { body: schemaOf(content(body, description), wanted), ...(body['required'] ? { bodyRequired: true } : {}) }),
    responses: Object.fromEntries(
      responses.map(([status, response]) => {
        const { content: contents } = resolved(response, description)
        return [
          status,
          contents === undefined ? null : schemaOf(content(resolved(response, description), description), wanted),
        ]
      }),
    ),
  }
}

/** The schema of the JSON in a request body or a response; of anything else only that there is something. */
function content(holder: Value | undefined, description: Fields): Value {
  const json = fields(fields(resolved(holder ?? {}, description)['content'] ?? {})['application/json'] ?? {})
  return json['schema'] ?? {}
}

/** A parameter or response that is only named is looked up. */
function resolved(value: Value, description: Fields): Fields {
  const { $ref } = fields(value)
  if (typeof $ref !== 'string') return fields(value)
  return resolved(
    $ref
      .slice(2)
      .split('/')
      .reduce<Value>((at, key) => fields(at)[key] ?? {}, description),
    description,
  )
}

/** OpenAPI 3.0 to JSON Schema, without what only people read. Alternatives may overlap, as they do in practice. */
function schemaOf(value: Value, wanted: Set<string>): Value {
  if (typeof value === 'boolean') return value
  const schema = fields(value)
  const { $ref } = schema
  if (typeof $ref === 'string') {
    const name = $ref.slice('#/components/schemas/'.length)
    wanted.add(name)
    return { $ref: `github#/schemas/${name}` }
  }

  const made: Record<string, Value> = {}
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties') {
      made[key] = Object.fromEntries(Object.entries(fields(inner)).map(([name, of]) => [name, schemaOf(of, wanted)]))
    } else if (key === 'items' || key === 'not') made[key] = schemaOf(inner, wanted)
    else if (key === 'additionalProperties') made[key] = schemaOf(inner, wanted)
    else if (key === 'allOf') made[key] = list(inner).map((each) => schemaOf(each, wanted))
    else if (key === 'anyOf' || key === 'oneOf') made['anyOf'] = list(inner).map((each) => schemaOf(each, wanted))
    else if (key === 'format' && (inner === 'date-time' || inner === 'uri')) made[key] = inner
    else if (kept.has(key)) made[key] = inner
  }
  if (schema['nullable'] !== true) return made
  if (typeof made['type'] !== 'string') return { anyOf: [made, { type: 'null' }] }
  if (Array.isArray(made['enum'])) made['enum'] = [...made['enum'].filter((each) => each !== null), null]
  return { ...made, type: [made['type'], 'null'] }
}

function sorted(entries: readonly (readonly [string, Value])[]): Fields {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function fields(value: Value | undefined): Fields {
  if (value === undefined || value === null || typeof value !== 'object' || isList(value)) {
    throw new Error(`GitHub's description has ${JSON.stringify(value)} where something with fields was expected`)
  }
  return value
}

function list(value: Value): readonly Value[] {
  if (!isList(value)) throw new Error(`GitHub's description has ${JSON.stringify(value)} where a list was expected`)
  return value
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
