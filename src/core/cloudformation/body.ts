import { canonicalJson, digest } from '../canonical.ts'
import { type DataMap, entriesOf, mapOf } from '../data.ts'
import { stackLimits, utf8Length } from '../stack/sizes.ts'

/** A template as it is sent. */
export type TemplateBody = {
  /** Canonical JSON without a space: the same template is the same text, wherever it was rendered. */
  readonly text: string
  /** `sha256:…` of the text. */
  readonly digest: string
  /** How long it is as UTF-8. */
  readonly bytes: number
  /** `inline` goes as TemplateBody; `bucket` has to be put to S3 under `key` first; `too-large` is taken by neither way. */
  readonly way: 'inline' | 'bucket' | 'too-large'
  /** The key in the template bucket: named by the content, so that the same template is put there once and never changed. */
  readonly key: string
}

/**
 * The text of a template: canonical JSON in long form. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 * takes 51,200 bytes in a request and 1 MiB from a bucket.
 */
export function templateBody(body: DataMap, options: { readonly inline?: number } = {}): TemplateBody {
  const text = canonicalJson(body)
  const bytes = utf8Length(text)
  const hash = digest(text)
  const { inline = stackLimits.inlineBody } = options
  return {
    text,
    digest: hash,
    bytes,
    way: bytes <= inline ? 'inline' : bytes <= stackLimits.body ? 'bucket' : 'too-large',
    key: `templates/${hash.replace('sha256:', '')}.json`,
  }
}

/** The part of a template that CloudFormation acts on: all but the top-level `Description` and `Metadata`. */
export function comparable(body: DataMap): DataMap {
  return mapOf(entriesOf(body).filter(([key]) => key !== 'Description' && key !== 'Metadata'))
}
