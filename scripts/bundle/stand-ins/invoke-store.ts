/**
 * Stands in for `@aws/lambda-invoke-store`, which knows what a function of AWS Lambda was called for. An action is none. Its
 * licence alone would be 11 kB.
 */
export const InvokeStore = { getInstanceAsync: async (): Promise<undefined> => undefined }
