import { join } from 'node:path'

import { command, flag, path } from '../command.ts'
import { count } from '../core/report.ts'
import { accessTemplates, trustProblems } from '../core/trust.ts'
import { readFolder, sameFolders } from './reading.ts'

const folder = 'accounts'

export const trust = command({
  name: 'trust',
  summary: 'Shows who may do what in the accounts, as CloudFormation that catalog.yaml makes. With --write, writes it.',
  inputs: {
    write: flag('Write the files to accounts/.'),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: { files: 'The templates, each with its path and whether the file there is the same.' },
  async run(ports, { write, root }) {
    const { organisation, sources } = await readFolder(ports, root)
    const none = { data: { files: [] }, text: () => '', sources }
    if (!organisation.ok) return { exit: 'bad-input', ...none, problems: organisation.problems }
    const { catalog } = organisation.value
    if (catalog.trust === undefined) {
      return {
        exit: 'bad-input',
        ...none,
        problems: [
          {
            code: 'trust-unset',
            severity: 'error',
            message: 'catalog.yaml does not say which repositories may work in the accounts.',
            expected: '`trust:` with the number of the organisation and of each repository.',
            remedy: 'Add it, and run this again; docs/accounts.md shows how.',
            at: catalog.document.place([]),
          },
        ],
      }
    }
    const found = [...organisation.problems, ...trustProblems(catalog)]
    if (found.some(({ severity }) => severity === 'error')) return { exit: 'bad-input', ...none, problems: found }
    const wanted = accessTemplates(catalog)
    const { tree: there, problems } = await ports.files.tree(root, new Map([['', [folder]]]))
    const files = [...wanted].map(([file, text]) => ({ file, same: there.get(file) === text }))
    // Of a repository that is no longer trusted. Files that somebody else has put there are his.
    const left = [...there].filter(([file, text]) => !wanted.has(file) && isOurs(file, text)).map(([file]) => file)
    const stale = [...files.filter(({ same }) => !same).map(({ file }) => file), ...left]
    if (write) {
      await ports.files.write(root, new Map([...wanted].filter(([file, text]) => there.get(file) !== text)))
      for (const file of left) await ports.files.remove(join(root, file))
    }
    return {
      exit: write || stale.length === 0 ? 'done' : 'different',
      data: { files: [...files, ...left.map((file) => ({ file, same: false }))] },
      text: (paint) =>
        paint.bold(
          stale.length === 0
            ? 'Nothing to write: the accounts are as catalog.yaml makes them.'
            : `${write ? 'Wrote' : 'Out of step:'} ${count(stale.length, 'file')}: ${stale.join(', ')}.`,
        ),
      ...(write ? {} : { exact: [...wanted].map(([file, text]) => `# ${file}\n${text}`).join('\n') }),
      problems: [...found, ...problems],
      sources,
      next:
        write || stale.length === 0
          ? []
          : [{ run: `trust --write${sameFolders({ root, state: '.protium' })}`, why: 'write what differs' }],
    }
  },
})

function isOurs(file: string, text: string): boolean {
  return file.startsWith(`${folder}/`) && text.startsWith('# Written by `protium trust --write`')
}
