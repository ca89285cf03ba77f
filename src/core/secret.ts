/**
 * What a text looks like if it looks like a secret (`an AWS access key`), by its form or by its name; nothing otherwise.
 * A reference to a secret is none. `name` is the key that the text stands under.
 */
export function looksSecret(name: string, text: string): string | undefined {
  if (isSecretReference(text)) return undefined
  for (const [form, what] of forms) if (form.test(text)) return what
  if (isSecretName(name) && text.length >= 12 && !/\s/.test(text) && entropy(text) >= 3)
    return 'a secret, by its name and its random look'
  return undefined
}

/**
 * A text of others (what the cloud says of a failure, which may quote what it was given) without what has the form of a secret;
 * in its place stands what it was.
 */
export function withoutSecrets(text: string): string {
  return spans.reduce((rest, [span, what]) => rest.replaceAll(span, `(${what}, hidden)`), text)
}

/** A line of a file that people write, with stars over what looks like a secret, by its form or by the key before it. */
export function maskSecrets(line: string): string {
  const masked = spans.reduce((rest, [span]) => rest.replaceAll(span, stars), line)
  return masked.replaceAll(pairs, (pair, key: string, value: string) => {
    const plain = value.replaceAll(/^["']|["']$/gu, '')
    return looksSecret(key, plain) === undefined ? pair : `${pair.slice(0, -value.length)}${stars(value)}`
  })
}

/** The same for a value that stands under a key, shown without it: `"x9Q…"` of `db_password`. */
export function maskUnder(key: string | number | undefined, shown: string): string {
  const head = `${key ?? ''}: `
  return maskSecrets(`${head}${shown}`).slice(head.length)
}

/** Keys with their values, in a map of lines or of one line. */
const pairs = /([\w.-]+)["']?\s*:\s+("[^"]*"|'[^']*'|[^\s,{}[\]]+)/gu

function stars(text: string): string {
  return '*'.repeat(text.length)
}

/**
 * Whether a text refers to a secret and does not hold it: the ARN of a Secrets Manager secret or an SSM parameter, the
 * path of an SSM parameter, or a dynamic reference of CloudFormation.
 */
export function isSecretReference(text: string): boolean {
  return references.some((reference) => reference.test(text))
}

const references = [
  /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@:-]+$/,
  /^arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter\/[\w./-]+$/,
  /^\{\{resolve:(?:ssm|ssm-secure|secretsmanager):[^{}\s]+\}\}$/,
  /^(?:ssm|ssm-secure|secretsmanager):[\w./+=@:-]+$/,
  /^\/[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/,
]

// The forms are those that the issuers document, so that their scanners can find them.
const forms: readonly (readonly [RegExp, string])[] = [
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{30,255}\b/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{22,255}\b/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20,}/, 'a GitLab token'],
  [/\bnpm_[A-Za-z0-9]{36}\b/, 'an npm token'],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/, 'a Slack token'],
  [/\b[rs]k_live_[A-Za-z0-9]{16,}\b/, 'a Stripe key'],
  [/\bAIza[A-Za-z0-9_-]{35}/, 'a Google API key'],
  [/-----BEGIN (?!CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)[A-Z0-9 ]+-----/, 'a private key'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/, 'a signed token (JWT)'],
  [/^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(?!\$|\{)[^\s/@]+@/i, 'an address with a password in it'],
]

/** The whole of each form, wherever it stands. */
const spans: readonly (readonly [RegExp, string])[] = forms.map(([form, what]) => {
  if (what === 'a private key')
    return [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]+-----|$)/gsu, what]
  if (form.source.startsWith('^'))
    return [/\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,256}:(?!\$|\{)[^\s/@]{1,4096}@/giu, what]
  return [new RegExp(form.source, 'gu'), what]
})

function isSecretName(name: string): boolean {
  const plain = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll('-', '_')
  if (
    /_(?:name|arn|ref|id|path|url|uri|host|parameter|length|size|days|hours|minutes|seconds|ttl|expiry|issuer|type|kind|policy|rotation|prefix)$/.test(
      plain,
    )
  ) {
    return false
  }
  return /(?:^|_)(?:password|passwd|passphrase|pwd|secret|secrets|token|credential|credentials|api_?key|apikey|private_?key|access_?key|secret_?key)(?:_|$)/.test(
    plain,
  )
}

/** Shannon's entropy of a text, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
