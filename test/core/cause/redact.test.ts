import { describe, expect, test } from 'vitest'
import { redact } from '../../../src/core/cause/redact.ts'

const planted: readonly (readonly [string, string, string])[] = [
  ['an access key', 'key AKIAIOSFODNN7EXAMPLE was denied', 'AKIAIOSFODNN7EXAMPLE'],
  ['a token of GitHub', `clone with ghp_${'a1B2'.repeat(9)}`, `ghp_${'a1B2'.repeat(9)}`],
  ['a password in an address', 'cannot reach postgres://shop:hunter2secret@db:5432/orders', 'hunter2secret'],
  ['a password by its name', 'started with DB_PASSWORD=hunter2secret on port 8080', 'hunter2secret'],
  ['a token in JSON', '{"apiToken": "abcd-efgh-ijkl", "port": 8080}', 'abcd-efgh-ijkl'],
  ['a header', 'authorization: Bearer abcdefgh.ijkl', 'abcdefgh.ijkl'],
  [
    'a signed token',
    `session eyJhbGciOiJI.eyJzdWIiOiIx.${'s'.repeat(20)}`,
    `eyJhbGciOiJI.eyJzdWIiOiIx.${'s'.repeat(20)}`,
  ],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----', 'MIIEow'],
  ['a secret key', 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'wJalrXUtnFEMI'],
]

describe('a text of the cloud or a log', () => {
  test.each(planted)('is shown without %s', (_name, text, secret) => {
    expect(redact(text)).not.toContain(secret)
    expect(redact(text)).toMatch(/\*\*\*|\(an? .*, hidden\)/u)
    expect(redact(redact(text))).toBe(redact(text))
  })

  test.each([
    'TypeError: Invalid URL: undefined',
    'GET /healthz answered 503 within 31 s',
    'User: arn:aws:sts::111111111111:assumed-role/deploy/run is not authorized to perform: ecs:CreateService',
    'dial tcp 10.0.3.7:443: i/o timeout',
    'secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop-1a2b3c was not found',
  ])('is kept where there is none: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  test('of any length is gone through once', () => {
    const text = 'password='.repeat(20_000)
    expect(redact(text).length).toBeLessThanOrEqual(text.length)
  })
})
