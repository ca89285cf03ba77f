import type { Impact, StageImpact } from '../impact/model.ts'
import type { Markdown } from '../markdown.ts'
import { blocks, bullets, code, fence, heading, prose, shorten, stacked } from '../markdown.ts'
import { count, list } from '../report.ts'
import { canonicalJson } from '../canonical.ts'

/** How much is at stake, in a sentence that begins with a word: low, look, high. */
export function riskOf({ is, stages }: Impact): string {
  const losses = stages.flatMap((stage) => stage.losses)
  const holding = losses.filter(({ holds }) => holds !== undefined)
  if (holding.length > 0) {
    const names = [
      ...new Set(holding.map(({ logicalId, holds, happens }) => `${logicalId} (${holds ?? ''}) is ${happens}`)),
    ]
    return `high. ${list(names.slice(0, 5))}.`
  }
  if (losses.length > 0) {
    const names = [...new Set(losses.map(({ logicalId, happens }) => `${logicalId} is ${happens}`))]
    return `look. ${list(names.slice(0, 5))}${names.length > 5 ? `, and ${names.length - 5} more` : ''}; nothing that holds data is.`
  }
  switch (is) {
    case 'breaks-policy':
      return 'look. It breaks a rule of the catalog.'
    case 'needs-input':
      return 'not known until the inputs are there.'
    case 'does-not-render':
    case 'unknown':
      return 'not known: it could not be rendered.'
    case 'unchanged':
      return 'low. Nothing that is deployed changes.'
    default:
      return 'low. Nothing is replaced or deleted in any stage.'
  }
}

/** The section of what changes for a consumer, stages that change alike together. */
export function changesSection(name: string, { is, stages, problems }: Impact): Markdown | undefined {
  const title = heading(3, prose`What changes for ${code(name)}`)
  if (stages.length === 0) {
    if (problems.length === 0) return undefined
    const shown = problems.slice(0, 10).map(({ message }) => prose`${shorten(message, 300)}`)
    return blocks([title, prose`It could not be rendered:`, bullets(shown)])
  }
  if (is === 'unchanged') return blocks([title, prose`Nothing that is deployed.`])
  const groups = new Map<string, StageImpact[]>()
  for (const stage of stages) {
    const key = canonicalJson([
      stage.is,
      stage.changes.map(({ logicalId, type, action, properties }) => [
        logicalId,
        type,
        action,
        properties.map(({ path }) => path),
      ]),
      stage.outputs.map(({ path }) => path),
    ])
    groups.set(key, [...(groups.get(key) ?? []), stage])
  }
  const parts = [...groups.values()].flatMap(groupOf)
  const broken = [...new Set(stages.flatMap((stage) => stage.broken.map(({ rule, message }) => `${rule}: ${message}`)))]
  return blocks([
    title,
    ...parts,
    broken.length === 0
      ? undefined
      : stacked([prose`It breaks:`, bullets(broken.slice(0, 20).map((each) => prose`${each}`))]),
  ])
}

function groupOf(group: readonly StageImpact[]): readonly Markdown[] {
  const [first] = group
  if (first === undefined) return []
  const names = group.map(({ unit, stage, kind }) => stage ?? (kind === 'pipeline' ? 'the pipeline' : unit))
  const where = `${list(names)}${group.length > 1 ? ', identical' : ''}`
  const by = (action: string): number => first.changes.filter((change) => change.action === action).length
  const numbers = [
    ...(by('create') > 0 ? [`${by('create')} added`] : []),
    ...(by('update') > 0 ? [`${by('update')} changed`] : []),
    `${by('replace')} replaced`,
    `${by('delete')} deleted`,
  ]
  if (first.is === 'unchanged') return [prose`${where}: nothing changes.`]
  const outputs = first.outputs.map(({ path }) => path)
  const also = outputs.length === 0 ? prose`` : prose` Other outputs: ${list(outputs.slice(0, 20))}.`
  const what = first.changes.length === 0 ? prose`outputs, parameters or tags alone.` : prose`${list(numbers)}.`
  return [
    prose`${where}: ${what}${also}`,
    ...(first.changes.length === 0 ? [] : [fence(linesOf(first).join('\n'), 'diff')]),
  ]
}

const signs = { create: '+', update: '!', replace: '-', delete: '-' } as const

function linesOf({ changes }: StageImpact): readonly string[] {
  return changes.flatMap(({ logicalId, type, action, properties, retained }) => {
    const after =
      action === 'replace' ? ' (replaced)' : action === 'delete' ? (retained ? ' (let go of)' : ' (deleted)') : ''
    const paths = properties.slice(0, 12).map(({ path }) => `${signs[action]}      ${path}`)
    const more = properties.length > 12 ? [`       and ${count(properties.length - 12, 'more setting')}`] : []
    return [`${signs[action]}  ${logicalId}  ${type}${after}`, ...(action === 'create' ? [] : [...paths, ...more])]
  })
}
