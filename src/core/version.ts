/** An exact version as people write it, `1.4.2`, in its numbers. */
export type Version = { readonly major: number; readonly minor: number; readonly patch: number }

/** The numbers of an exact version `x.y.z`; nothing for anything else (`1.4`, `v1.4.2`, `01.4.2`, `1.4.2-rc.1`). */
export function parseVersion(text: string): Version | undefined {
  const match = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text)
  if (match === null) return undefined
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) }
}

/** Sorts exact versions, lowest first; what is no version sorts before all that are. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) return (left === undefined ? 0 : 1) - (right === undefined ? 0 : 1)
  return left.major - right.major || left.minor - right.minor || left.patch - right.patch
}

/** `fargate-service@2.3.0` in its two parts; nothing when it is not a template name and an exact version. */
export function parseReference(text: string): { readonly template: string; readonly version: string } | undefined {
  const [template, version, more] = text.split('@')
  if (template === undefined || version === undefined || more !== undefined) return undefined
  if (!isTemplateName(template) || parseVersion(version) === undefined) return undefined
  return { template, version }
}

/** Proton's rule for the names of templates: letters, digits, `-` and `_`, at most 100 (CreateServiceTemplate, `name`). */
export function isTemplateName(name: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/.test(name)
}
