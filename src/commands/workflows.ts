import { join } from 'node:path'

import { command, flag, path, type Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import { count } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { catalogWorkflows, isGeneratedWorkflow } from '../core/workflows.ts'
import { readFolder, sameFolders } from './reading.ts'

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
    const wanted = catalogWorkflows(catalog)
    const there = await workflowFiles(ports, { root, catalog })
    const files = [...wanted].map(([file, text]) => ({ file, same: there.get(file) === text }))
    // What an older catalog.yaml asked for would go on deploying.
    const left = [...there.keys()].filter((file) => !wanted.has(file))
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
            ? 'Nothing to write: the workflows are as catalog.yaml makes them.'
            : `${write ? 'Wrote' : 'Out of step:'} ${count(stale.length, 'workflow')}: ${stale.join(', ')}.`,
        ),
      ...(write ? {} : { exact: [...wanted].map(([file, text]) => `# ${file}\n\n${text}`).join('\n') }),
      problems: organisation.problems,
      sources,
      next:
        write || stale.length === 0
          ? []
          : [{ run: `workflows --write${sameFolders({ root, state: '.protium' })}`, why: 'write what differs' }],
    }
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
