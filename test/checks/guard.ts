import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where `npm run setup:guard` puts cfn-guard. Its project publishes it as files of a release; the packages of registries that hold
 * the program are those of AWS's own plugin for the CDK, and that is where it is taken from, by its digest.
 */
export const guardPackage = {
  name: '@cdklabs/cdk-validator-cfnguard',
  version: '0.0.62',
  integrity: 'sha512-Sg2k8067B0AIJ82QFSLhHTUIqxOYTKABvVrTHiyc6j0rE2NHli2diIYqf+w+DkuDKCYYgMIOga3OrYMOHUw0mQ==',
} as const

/** The program in the package, for this machine; nothing where it has none. */
export const guardFile = new Map([
  ['linux x64', 'ubuntu/x86_64'],
  ['linux arm64', 'ubuntu/aarch64'],
  ['darwin x64', 'macos/x86_64'],
  ['darwin arm64', 'macos/aarch64'],
]).get(`${process.platform} ${process.arch}`)

export const guardFolder = join(import.meta.dirname, '../../node_modules/.cache', `cfn-guard-${guardPackage.version}`)

export const isGuardInstalled = existsSync(join(guardFolder, 'cfn-guard'))
