import { type Data, type DataMap, isList, isMap } from './data.ts'
import { didYouMean } from './nearest.ts'
import type { Problem } from './problem.ts'
import { faultsOfOwn } from './shape/faults.ts'
import { dataAt, inWords, pathInWords } from './shape/values.ts'
import { capital } from './shape/words.ts'
import type { Document } from './yaml.ts'

export { type Fault, faultsOf } from './shape/faults.ts'
export { dataAt, inWords, listIn, mapIn, numberIn, pathInWords, textIn, textsIn } from './shape/values.ts'
export { wanted } from './shape/words.ts'

/** Faults of a file of Protium's own as problems on their lines. `what` names the file's kind: `a service file`. */
export function checkShape(document: Document, schema: DataMap, what: string): Problem[] {
  const data = document.data
  return faultsOfOwn(schema, data).map((fault): Problem => {
    switch (fault.is) {
      case 'unknown':
        return {
          code: 'unknown-key',
          severity: 'error',
          message: `${capital(what)} has no key ${pathInWords([...fault.path, fault.key])}.${didYouMean(fault.key, fault.known)}`,
          expected: fault.known.length > 0 ? `One of the keys ${fault.known.join(', ')}.` : 'No key at all.',
          remedy: 'Correct the key, or remove it.',
          at: document.keyPlace([...fault.path, fault.key]),
        }
      case 'missing':
        return {
          code: 'missing-key',
          severity: 'error',
          message: `The key ${pathInWords([...fault.path, fault.key])} is missing.`,
          expected: fault.expected,
          remedy: `Add a line \`${fault.key}: …\`${fault.path.length > 0 ? ` under ${pathInWords(fault.path)}` : ''}.`,
          at: document.keyPlace(fault.path),
        }
      default:
        return {
          code: 'wrong-value',
          severity: 'error',
          message:
            fault.path.length === 0
              ? `The file ${fault.why === 'has no value' ? 'is empty' : fault.why}.`
              : `${fault.onKey ? 'The name ' : ''}${pathInWords(fault.path)} ${fault.why}${fault.onKey ? '' : shown(dataAt(data, fault.path))}.`,
          expected: fault.expected,
          remedy: fault.onKey
            ? 'Choose another name.'
            : fault.path.length === 0
              ? 'Write its keys, or remove the file.'
              : 'Correct the value.',
          at: fault.onKey ? document.keyPlace(fault.path) : document.place(fault.path),
        }
    }
  })
}

function shown(value: Data | undefined): string {
  return value === undefined || value === null || isList(value) || isMap(value) ? '' : ` (${inWords(value)})`
}
