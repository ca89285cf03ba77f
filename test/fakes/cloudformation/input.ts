import { isMembers, type Members, type Value } from './model.ts'

export function textAt(input: Members, name: string): string | undefined {
  const value = input[name]
  return typeof value === 'string' ? value : undefined
}

/** A text that the model requires, so that it is there. */
export function text(input: Members, name: string): string {
  return textAt(input, name) ?? ''
}

export function flagAt(input: Members, name: string): boolean | undefined {
  const value = input[name]
  return typeof value === 'boolean' ? value : undefined
}

export function numberAt(input: Members, name: string): number | undefined {
  const value = input[name]
  return typeof value === 'number' ? value : undefined
}

export function listAt(input: Members, name: string): readonly Value[] | undefined {
  const value = input[name]
  return Array.isArray(value) ? value : undefined
}

export function textsAt(input: Members, name: string): readonly string[] | undefined {
  return listAt(input, name)?.flatMap((each) => (typeof each === 'string' ? [each] : []))
}

export function membersAt(input: Members, name: string): Members | undefined {
  const value = input[name]
  return isMembers(value) ? value : undefined
}

export function structuresAt(input: Members, name: string): readonly Members[] | undefined {
  return listAt(input, name)?.flatMap((each) => (isMembers(each) ? [each] : []))
}
