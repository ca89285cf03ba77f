import { join } from 'node:path'

import { command, flag, path, type Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { FileTree } from '../core/tree.ts'
import { catalogWorkflows, isGeneratedWorkflow } from '../core/workflows.ts'
import { generated } from './generated.ts'
import { readFolder } from './reading.ts'

export const workflows = command({
  name: 'workflows',
  summary: 'Shows the workflows that catalog.yaml makes: its stages as jobs. With --write, writes them.',
  inputs: {
    write: flag('Write the files to .github/workflows/.'),
    root: path('The folder of the organisation.', { default: '.' }),
  },
  outputs: { files: 'The workflows, each with its path and whether the file there is the same.' },
  async run(ports, { write, root }) {
    const { organisation, sources } = await readFolder(ports, root)
    if (!organisation.ok)
      return { exit: 'bad-input', data: { files: [] }, text: () => '', problems: organisation.problems, sources }
    const { catalog } = organisation.value
    if (catalog.workflows === undefined) {
      return {
        exit: 'bad-input',
        data: { files: [] },
        text: () => '',
        problems: [
          {
            code: 'workflows-unset',
            severity: 'error',
            message: 'catalog.yaml does not say where the actions of Protium are.',
            expected: '`workflows: { actions: … }`, with a folder of this repository or `owner/name/folder@commit`.',
            remedy: 'Add it, and run this again.',
            at: catalog.document.place([]),
          },
        ],
        sources,
      }
    }
    return generated(ports, {
      name: 'workflows',
      inStep: 'Nothing to write: the workflows are as catalog.yaml makes them.',
      noun: 'workflow',
      root,
      write,
      wanted: catalogWorkflows(catalog),
      there: await workflowFiles(ports, { root, catalog }),
      gap: '\n\n',
      problems: organisation.problems,
      sources,
    })
  },
})

const onlyWorkflows = new Map([
  ['', ['.github']],
  ['.github', ['workflows']],
])

/** The workflows that there are, by their paths: those that catalog.yaml makes, and others of ours. What is somebody else's is not among them. */
export async function workflowFiles(
  ports: Ports,
  { root, catalog }: { readonly root: string; readonly catalog: Catalog },
): Promise<FileTree> {
  const { tree } = await ports.files.tree(root, onlyWorkflows)
  const found = new Map(
    [...tree].filter(([file, text]) => file.startsWith('.github/workflows/') && isGeneratedWorkflow(text)),
  )
  for (const file of catalogWorkflows(catalog).keys()) {
    const read = await ports.files.text(join(root, file))
    if (read.ok) found.set(file, read.value)
  }
  return found
}
