import { compareText, digest } from '../canonical.ts'
import { isMap, mapOf } from '../data.ts'
import { textIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { isTemplateName, parseVersion } from '../version.ts'
import { readJson } from '../yaml.ts'
import type { ReleaseStatus } from './status.ts'

/** A version of a template that was published: the tag `<template>@<version>` on a commit, and its record on the ledger. */
export type Release = {
  readonly template: string
  readonly version: string
  /** Of the bundle, by `bundleDigest`. */
  readonly digest: string
  readonly commit: string
  /** When, as ISO 8601 has it. */
  readonly at: string
  readonly status: ReleaseStatus
  /** What is new, in one line, where template.yaml says it. */
  readonly note?: string
}

export type Releases = readonly Release[]

/** What the ledger keeps of a release, in `releases/<template>/<version>.json`; written once, and never changed. */
export type ReleaseRecord = {
  readonly format: 1
  readonly template: string
  readonly version: string
  readonly digest: string
  readonly commit: string
  readonly at: string
  readonly by: string
}

/** The name of the tag of a release: `fargate-service@2.3.0`. */
export function releaseName({ template, version }: { readonly template: string; readonly version: string }): string {
  return `${template}@${version}`
}

/** Where a release is recorded on the ledger. Throws `TypeError` for what names no release. */
export function releasePath({ template, version }: { readonly template: string; readonly version: string }): string {
  if (!isTemplateName(template) || parseVersion(version) === undefined)
    throw new TypeError(`Not a release: ${template}@${version}`)
  return `releases/${template}/${version}.json`
}

/**
 * The digest of what a version is: of its files by paths below the bundle, whatever the ends of their lines. Examples are left
 * out: they say what is expected of a bundle, and nothing that is deployed comes of them.
 */
export function bundleDigest(files: FileTree): string {
  const own = [...files].filter(([path]) => !path.startsWith('examples/'))
  const digests = own
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([path, text]) => [path, digest(text.replaceAll('\r\n', '\n'))] as const)
  return digest(mapOf(digests))
}

/** The record that a file of the ledger holds; nothing where it is none that this version knows, or lies where another belongs. */
export function readReleaseRecord(file: string, text: string): ReleaseRecord | undefined {
  const document = readJson(file, text)
  const data = document.ok ? document.value.data : undefined
  if (!isMap(data) || data['format'] !== 1) return undefined
  const [template, version, said] = [textIn(data, 'template'), textIn(data, 'version'), textIn(data, 'digest')]
  const [commit, at, by] = [textIn(data, 'commit'), textIn(data, 'at'), textIn(data, 'by')]
  if (template === undefined || version === undefined || said === undefined) return undefined
  if (commit === undefined || at === undefined || by === undefined) return undefined
  if (file !== `releases/${template}/${version}.json`) return undefined
  return { format: 1, template, version, digest: said, commit, at, by }
}
