/**
 * Stands in for `@aws-sdk/credential-provider-sso` and its clients (50 kB): credentials of a single sign-on, which a person does in a
 * browser and which lasts for hours. There is nobody to do it on a runner.
 */
export function fromSSO(): () => Promise<never> {
  return async () => {
    throw new Error('A profile that signs in by single sign-on cannot be used by an action.')
  }
}
