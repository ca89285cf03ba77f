/**
 * Stands in for what the packages of GitHub's toolkit bring along to speak HTTP: `@actions/http-client` and `undici`, 440 kB
 * and 45 ms of every start. `@actions/core` would ask for an OIDC token by them, and for the name of the machine by
 * `@actions/exec`: neither is our business, since the action that signs in to a cloud gets the token. `@actions/github`
 * would send requests by them; what is taken of it is how a client is set up, and Node's own `fetch` sends.
 */
export class HttpClient {
  getJson(): never {
    return leftOut()
  }

  getAgent(): undefined {
    return undefined
  }

  getAgentDispatcher(): undefined {
    return undefined
  }
}

export const { fetch } = globalThis

export function BearerCredentialHandler(): never {
  return leftOut()
}

export function getExecOutput(): never {
  return leftOut()
}

function leftOut(): never {
  throw new Error('This was left out of the build: scripts/bundle/stand-ins/http-client.ts')
}
