import { isList, isMap, mapOf } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Place } from '../problem.ts'
import { inWords, textsIn } from '../shape.ts'
import { readYaml } from '../yaml.ts'
import type { Bundle } from './model.ts'
import { complain, inRoot, irregular, type Reader } from './reader.ts'

/** Proton's two ways to say what a service template fits: `.template-registration.yaml` and the older `.compatible-envs`. */
export function readRegistration(reader: Reader): Pick<Bundle, 'compatible' | 'componentSources'> {
  const compatible = new Map<string, { readonly template: string; readonly major: number }>()
  const sources = new Set<string>()
  const add = (text: string, at: Place): void => {
    const match = /^([0-9A-Za-z][0-9A-Za-z_-]*):v?([1-9]\d{0,8}|0)$/.exec(text)
    if (match?.[1] === undefined) {
      complain(reader, 'compatible-environments', {
        at,
        message: `${inWords(text)} does not name an environment template and its major version.`,
        expected: 'A line such as `vpc-fargate:1`.',
        remedy: 'Correct the line.',
      })
    } else {
      compatible.set(text, { template: match[1], major: Number(match[2]) })
    }
  }
  for (const name of ['.template-registration.yaml', '.template-registration.yml']) {
    const text = reader.files.get(name)
    if (text !== undefined) readRegistrationYaml(reader, { name, text, add, sources })
  }
  for (const name of ['.compatible-envs', '.compatible_envs']) {
    const text = reader.files.get(name)
    if (text === undefined) continue
    const start = { file: inRoot(reader, name), line: 1, column: 1 }
    if (name === '.compatible_envs')
      irregular(reader, start, 'The name of the file is written with an underscore.', '.compatible-envs')
    if (/^(?:compatible_environments?|supported_component_sources)\s*:/m.test(text)) {
      if (name === '.compatible-envs') irregular(reader, start, 'The file holds YAML.', '.template-registration.yaml')
      readRegistrationYaml(reader, { name, text, add, sources })
      continue
    }
    // Plain text, one a line: read as YAML, two lines would be one string.
    text.split(/\r?\n/).forEach((line, index) => {
      const entry = line.replace(/(?:^|\s)#.*$/, '').trim()
      if (entry !== '') add(entry.replace(/^-\s+/, '').replaceAll(/^["']|["']$/g, ''), { ...start, line: index + 1 })
    })
  }
  return { compatible: [...compatible.values()], componentSources: [...sources] }
}

function readRegistrationYaml(
  reader: Reader,
  {
    name,
    text,
    add,
    sources,
  }: {
    readonly name: string
    readonly text: string
    readonly add: (text: string, at: Place) => void
    readonly sources: Set<string>
  },
): void {
  const read = readYaml(inRoot(reader, name), text, 'schema')
  reader.problems.push(...read.problems)
  if (!read.ok) return
  const document = read.value
  const data = isMap(document.data) ? document.data : mapOf()
  const known = ['compatible_environments', 'supported_component_sources']
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue
    if (key === 'compatible_environment')
      irregular(
        reader,
        document.keyPlace([key]),
        'The key `compatible_environment` lacks its "s".',
        'compatible_environments',
      )
    else
      complain(reader, 'compatible-environments', {
        at: document.keyPlace([key]),
        severity: 'warning',
        message: `The key "${key}" has no meaning here.${didYouMean(key, known)}`,
        remedy: 'Correct the key, or remove it.',
      })
  }
  for (const key of ['compatible_environments', 'compatible_environment']) {
    const list = data[key]
    if (list === undefined) continue
    if (typeof list === 'string') add(list, document.place([key]))
    else if (isList(list))
      list.forEach((item, index) => add(typeof item === 'string' ? item : inWords(item), document.place([key, index])))
    else
      complain(reader, 'compatible-environments', {
        at: document.place([key]),
        message: `"${key}" is not a list.`,
        expected: 'A list with items such as `vpc-fargate:1`.',
        remedy: 'Correct the file.',
      })
  }
  for (const source of textsIn(data, 'supported_component_sources')) sources.add(source)
}
