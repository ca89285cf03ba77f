import { type Data, type DataMap, Float, isList, isMap } from '../data.ts'
import { inWords, listIn, numberIn, textIn, textsIn } from './values.ts'

/** What a schema wants, as a sentence: `A whole number from 1 to 65535.` A schema may say it itself, as `x-protium-expected`. */
export function wanted(schema: Data | undefined): string {
  if (!isMap(schema)) return 'Any value.'
  const own = textIn(schema, 'x-protium-expected')
  if (own !== undefined) return own
  const allowed = listIn(schema, 'enum')
  if (allowed !== undefined) {
    const some = allowed.slice(0, 12).map(inWords).join(', ')
    return `One of ${some}${allowed.length > 12 ? ` and ${allowed.length - 12} more` : ''}.`
  }
  const types = typesOf(schema)
  const pattern = textIn(schema, 'pattern')
  const bounds = [
    range(schema, types.includes('string') ? ['minLength', 'maxLength', 'character'] : undefined),
    range(schema, types.includes('array') ? ['minItems', 'maxItems', 'item'] : undefined),
    range(schema, types.includes('object') ? ['minProperties', 'maxProperties', 'key'] : undefined),
    types.includes('number') || types.includes('integer') ? numberRange(schema) : '',
  ].join('')
  const matches = pattern === undefined ? '' : ` that matches the pattern ${pattern}`
  const subject = types.length === 0 ? 'Any value' : capital(types.map((type) => typeWords[type] ?? type).join(' or '))
  return `${subject}${bounds}${matches}.`
}

/** The types of JSON Schema in words. */
export const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'nothing',
}

/** The types that a schema allows; none if it says nothing of that. */
export function typesOf(schema: DataMap | undefined): readonly string[] {
  return textsIn(schema, 'type')
}

/** What a value is, in words: `text`, `a list`. */
export function kindOf(value: Data | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return `the word ${value}`
  if (isList(value)) return 'a list'
  if (isMap(value)) return 'a map'
  return value instanceof Float && !Number.isInteger(value.value) ? 'a number with a fraction' : 'a number'
}

function range(schema: DataMap, keys: readonly [string, string, string] | undefined): string {
  if (keys === undefined) return ''
  const [least, most] = [numberIn(schema, keys[0]), numberIn(schema, keys[1])]
  const preposition = keys[2] === 'character' ? 'of' : 'with'
  if (least !== undefined && most !== undefined) {
    return ` ${preposition} ${least === most ? plural(String(least), keys[2]) : `${least} to ${plural(String(most), keys[2])}`}`
  }
  if (most !== undefined) return ` ${preposition} at most ${plural(String(most), keys[2])}`
  return least === undefined || least === 0 ? '' : ` ${preposition} at least ${plural(String(least), keys[2])}`
}

function numberRange(schema: DataMap): string {
  const [least, most] = [numberIn(schema, 'minimum'), numberIn(schema, 'maximum')]
  const [above, below] = [numberIn(schema, 'exclusiveMinimum'), numberIn(schema, 'exclusiveMaximum')]
  const step = numberIn(schema, 'multipleOf')
  const multiple = step === undefined ? '' : ` that is a multiple of ${step}`
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${multiple}`
  const parts = [
    least === undefined ? '' : `at least ${least}`,
    above === undefined ? '' : `more than ${above}`,
    most === undefined ? '' : `at most ${most}`,
    below === undefined ? '' : `less than ${below}`,
  ].filter((part) => part !== '')
  return `${parts.length > 0 ? `, ${parts.join(' and ')}` : ''}${multiple}`
}

export function plural(count: string, noun: string): string {
  return `${count} ${noun}${count === '1' ? '' : 's'}`
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
