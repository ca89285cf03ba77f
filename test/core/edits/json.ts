import type { Data } from '../../../src/core/data.ts'
import { readJson } from '../../../src/core/yaml.ts'

export function dataOfJson(text: string): Data {
  const read = readJson('value', text)
  if (!read.ok) throw new Error(text)
  return read.value.data
}
