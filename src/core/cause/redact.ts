import { looksSecret, withoutSecrets } from '../secret.ts'

/** What stands where a secret was. */
const mask = '***'

/**
 * A text of the cloud or of a log without what looks like a secret: by the forms that issuers document, and by what stands
 * before it (`password=`, `token:`, `Authorization: Bearer`). The rest stays as it was.
 */
export function redact(text: string): string {
  return forms
    .reduce((rest, [form, kept]) => rest.replaceAll(form, kept), withoutSecrets(text))
    .replaceAll(pair, (whole, ...parts) => {
      const [name, separator, value] = parts.map(String)
      if (name === undefined || separator === undefined || value === undefined || value === mask) return whole
      return isNameOfSecret.test(name) || looksSecret(name, value) !== undefined ? `${name}${separator}${mask}` : whole
    })
}

/** Besides those that have the form of a secret by themselves. */
const forms: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}/g, mask],
  [/\b(Bearer|Basic) [A-Za-z0-9+/=._~-]{8,4096}/g, `$1 ${mask}`],
]

/** `name=value`, `name: value`, `"name": "value"`. */
const pair = /([A-Za-z][A-Za-z0-9_.-]{0,80}["']?)(\s{0,3}[=:]\s{0,3}["']?)([^\s"'&,;}\]]{4,4096})/g

const isNameOfSecret =
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?-?key|private_?-?key|access_?-?key|credential)["']?$/i
