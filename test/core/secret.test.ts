import { describe, expect, test } from 'vitest'
import { isSecretReference, looksSecret, maskSecrets, withoutSecrets } from '../../src/core/secret.ts'

/** Put together here, so that no scanner takes this file for a leak. */
function made(...parts: readonly string[]): string {
  return parts.join('')
}

describe('a text', () => {
  test.each([
    ['key', made('AKIA', 'IOSFODNN7EXAMPLE'), 'an AWS access key'],
    ['note', made('use ASIA', 'IOSFODNN7EXAMPLE for now'), 'an AWS access key'],
    ['x', made('ghp_', '0123456789abcdefghijABCDEFGHIJ012345'), 'a GitHub token'],
    ['x', made('github_pat_', '0123456789abcdefghijABCDEFGHIJ'), 'a GitHub token'],
    ['x', made('-----', 'BEGIN RSA PRIVATE KEY', '-----'), 'a private key'],
    ['x', made('-----', 'BEGIN CERTIFICATE', '-----'), undefined],
    ['url', 'postgres://shop:hunter2@db.internal/shop', 'an address with a password in it'],
    ['url', 'https://example.com/a@b', undefined],
    ['DB_PASSWORD', 'x8Kq2Lz0Vb7Tn4', 'a secret, by its name and its random look'],
    ['dbPassword', 'x8Kq2Lz0Vb7Tn4', 'a secret, by its name and its random look'],
    ['password', 'changeme', undefined],
    ['password', 'a text with spaces and so on', undefined],
    ['password_parameter', 'x8Kq2Lz0Vb7Tn4', undefined],
    ['token_ttl_seconds', '120000000000', undefined],
    ['commit', '47a4eb2f9c01d3', undefined],
    ['secret', 'arn:aws:secretsmanager:ap-northeast-2:111111111111:secret:shop/db-AbCdEf', undefined],
    ['image', 'public.example.com/shop@sha256:0123456789abcdef', undefined],
  ])('under %j: %j is %s', (name, text, what) => {
    expect(looksSecret(name, text)).toBe(what)
  })

  test.each([
    ['arn:aws:secretsmanager:ap-northeast-2:111111111111:secret:shop/db-AbCdEf', true],
    ['arn:aws:ssm:ap-northeast-2:111111111111:parameter/shop/db', true],
    ['arn:aws-cn:ssm:cn-north-1:111111111111:parameter/shop/db', true],
    ['arn:aws:s3:::shop', false],
    ['{{resolve:ssm-secure:/shop/db:1}}', true],
    ['{{resolve:secretsmanager:shop/db:SecretString:password}}', true],
    ['/shop/dev/db', true],
    ['shop/dev/db', false],
    ['hunter2', false],
  ])('%j is a reference: %s', (text, is) => {
    expect(isSecretReference(text)).toBe(is)
  })

  test.each([
    [made('Invalid key AKIA', 'IOSFODNN7EXAMPLE', ' for x'), 'Invalid key (an AWS access key, hidden) for x'],
    [made('Token ghp_', '0123456789abcdefghijABCDEFGHIJ012345', '.'), 'Token (a GitHub token, hidden).'],
    ['cannot reach postgres://shop:hunter2@db/shop', 'cannot reach (an address with a password in it, hidden)db/shop'],
    [
      made('-----', 'BEGIN RSA PRIVATE KEY', '-----\nabc\n', '-----', 'END RSA PRIVATE KEY', '-----!'),
      '(a private key, hidden)!',
    ],
    [made('-----', 'BEGIN PRIVATE KEY', '-----\nabc'), '(a private key, hidden)'],
    ['nothing to hide: https://example.com/a@b', 'nothing to hide: https://example.com/a@b'],
  ])('of others is told without its secrets: %j', (text, told) => {
    expect(withoutSecrets(text)).toBe(told)
  })

  test.each([
    ['  DB_PASSWORD: x8Kq2Lz0Vb7Tn4', '  DB_PASSWORD: **************'],
    ['  - "dbPassword": "x8Kq2Lz0Vb7Tn4"', '  - "dbPassword": ****************'],
    ['  port: 8080', '  port: 8080'],
    [made('  x: ghp_', '0123456789abcdefghijABCDEFGHIJ012345', ' # t'), `  x: ${'*'.repeat(40)} # t`],
  ])('of a file is shown with stars over its secrets: %j', (text, shown) => {
    expect(maskSecrets(text)).toBe(shown)
  })
})
