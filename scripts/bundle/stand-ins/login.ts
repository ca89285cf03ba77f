/**
 * Stands in for `@aws-sdk/credential-provider-login` and its client (20 kB): credentials of `aws login`, which a person does
 * in a browser. There is none on a runner.
 */
export function fromLoginCredentials(): () => Promise<never> {
  return async () => {
    throw new Error('A profile that signs in by `aws login` cannot be used by an action.')
  }
}
