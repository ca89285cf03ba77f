/**
 * CloudFormation's limits: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 * Bodies are counted as they are sent: minified JSON in UTF-8. One over `inlineBody` goes by way of a bucket.
 */
export const stackLimits = {
  inlineBody: 51_200,
  body: 1_048_576,
  resources: 500,
  parameters: 200,
  outputs: 200,
  mappings: 200,
  mappingAttributes: 200,
  logicalId: 255,
  parameterValue: 4096,
  description: 1024,
  stackName: 128,
  tags: 50,
} as const

/** How many bytes a text has as UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
