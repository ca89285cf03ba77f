import { count, list } from '../report.ts'
import type { FileFacts } from './facts.ts'
import { type Check, judged, ok, tell, type Told } from './finding.ts'
import { longestOwners, ownersFiles, ownersOf } from './owners.ts'

type Judged = readonly (readonly [Check, readonly Told[]])[]

/** What the files say by themselves, without anybody being asked. `owned` are paths that have to have code owners. */
export function judgeFiles(files: FileFacts, { owned }: { readonly owned: readonly string[] }): Judged {
  const { workflows, accounts, ledger, actions, version } = files
  return [
    ['workflows', [staleness(workflows, { one: 'workflow', command: 'workflows' })]],
    [
      'accounts',
      judged(accounts, (value) =>
        value === undefined
          ? ok('catalog.yaml trusts no repository (`trust:`); the roles are made by hand.')
          : staleness(value, { one: 'template', command: 'trust' }),
      ),
    ],
    ['version', judged(actions, ({ version: other }) => versions(version, other))],
    [
      'ledger',
      judged(ledger, (value) => {
        if (value === undefined) return ok('There is none yet: nothing was deployed.')
        const [first, ...more] = value.faults
        if (first === undefined && value.records === 0) return ok('It is empty.')
        if (first === undefined) return ok(`${count(value.records, 'record')}, each as it was written, in one chain.`)
        return tell('fail', {
          what: `${first}${more.length === 0 ? '' : ` And ${count(more.length, 'other fault')}.`}`,
          fix: '`protium ledger` names each with what to do.',
        })
      }),
    ],
    ['owners', judgeOwners(files.owners, owned)],
  ]
}

function staleness(
  { stale, all }: { readonly stale: readonly string[]; readonly all: number },
  { one, command }: { readonly one: string; readonly command: string },
): Told {
  if (stale.length === 0) return ok(`${count(all, one)}, as catalog.yaml makes ${all === 1 ? 'it' : 'them'}.`)
  return tell('fail', {
    what: `Not as catalog.yaml makes ${stale.length === 1 ? 'it' : 'them'}: ${few(stale)}.`,
    fix: `\`protium ${command} --write\`, and merge what changes.`,
  })
}

function versions(own: string, other: string): Told {
  if (own === other) return ok(`The actions and this program are ${own}.`)
  return tell('warn', {
    what: `The actions are ${other}, this program is ${own}: they may make different workflows of one catalog.`,
    fix: 'Use one version: name the commit of this one as `actions:` in catalog.yaml, with its `version:`, or copy its folders `actions` and `dist` anew.',
  })
}

function judgeOwners(owners: FileFacts['owners'], owned: readonly string[]): readonly Told[] {
  if (owners === undefined) {
    return [
      tell('fail', {
        what: 'There is no file of code owners: who reviews a change of stages, accounts or workflows is left to chance.',
        fix: `Write ${ownersFiles[0]}, such as \`* @acme/platform\`, with those who answer for deployments.`,
      }),
    ]
  }
  const { file, text } = owners
  if (text.length >= longestOwners) {
    return [tell('fail', { what: `${file} has 3 MB or more, so GitHub reads none of it.`, fix: 'Shorten it.' })]
  }
  const free = [file, ...owned].filter((path) => ownersOf(text, path).length === 0)
  if (free.length === 0) return [ok(`${file} has owners for itself and for what decides over deployments.`)]
  return [
    tell('fail', {
      what: `${file} has no owner for ${few(free.map((path) => path.replace(/\*$/u, '')))}.`,
      fix: `Add a line for each to ${file}, behind those that match it now; the last that matches counts.`,
    }),
  ]
}

/** `a, b and c`; of many, the first ones and how many more. */
export function few(words: readonly string[], most = 4): string {
  const more = words.length - most
  return more > 0 ? `${words.slice(0, most).join(', ')} and ${more} more` : list(words)
}
