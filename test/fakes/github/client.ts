import { Octokit } from '@octokit/rest'
import type { GitHub, Grant } from './server.ts'

/** GitHub's own client, over HTTP, with a token of its own. It does not print what it is told. */
export function clientOf(github: Pick<GitHub, 'url' | 'token'>, grant: Grant): Octokit['rest'] {
  return clientWith(github, github.token(grant))
}

export function clientWith(github: Pick<GitHub, 'url'>, auth: string | undefined): Octokit['rest'] {
  const silent = (): void => undefined
  return new Octokit({
    baseUrl: github.url,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    ...(auth === undefined ? {} : { auth }),
  }).rest
}
