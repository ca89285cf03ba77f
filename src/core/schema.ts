/** Schemas of AWS Proton, and the inputs that they describe. */
export { checkInputs, checkSecrets, filledInputs, inputsAt, type InputsAt, servicesIn } from './schema/check.ts'
export { type BundleSchema, type InputSchema, longestText } from './schema/model.ts'
export { readSchema } from './schema/read.ts'
