/**
 * Stands in for two packages in a build of the actions. `@actions/core` asks `@actions/http-client` for an OIDC token, and
 * `@actions/exec` for the name of the machine: neither is our business, since the action that signs in to a cloud gets the
 * token. Left out is undici, which would be 400 KB, and 45 ms of every start.
 */
export function HttpClient(): never {
  return leftOut()
}

export function BearerCredentialHandler(): never {
  return leftOut()
}

export function getExecOutput(): never {
  return leftOut()
}

function leftOut(): never {
  throw new Error('This was left out of the build: scripts/left-out.ts')
}
