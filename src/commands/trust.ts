import { command, flag, path } from '../command.ts'
import { accessTemplates, trustProblems } from '../core/trust.ts'
import { generated } from './generated.ts'
import { readFolder } from './reading.ts'

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
    const { tree, problems } = await ports.files.tree(root, new Map([['', [folder]]]))
    return generated(ports, {
      name: 'trust',
      inStep: 'Nothing to write: the accounts are as catalog.yaml makes them.',
      noun: 'file',
      root,
      write,
      wanted,
      // Of a repository that is no longer trusted too. Files that somebody else has put there are his.
      there: new Map([...tree].filter(([file, text]) => wanted.has(file) || isOurs(file, text))),
      gap: '\n',
      problems: [...found, ...problems],
      sources,
    })
  },
})

function isOurs(file: string, text: string): boolean {
  return file.startsWith(`${folder}/`) && text.startsWith('# Written by `protium trust --write`')
}
