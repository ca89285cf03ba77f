import { join } from 'node:path'

import { command, flag, path, type Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import { count } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { catalogWorkflows } from '../core/workflows.ts'
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
    const stale = files.filter(({ same }) => !same)
    if (write) await ports.files.write(root, new Map([...wanted].filter(([file, text]) => there.get(file) !== text)))
    return {
      exit: write || stale.length === 0 ? 'done' : 'different',
      data: { files },
      text: (paint) =>
        paint.bold(
          stale.length === 0
            ? 'Nothing to write: the workflows are as catalog.yaml makes them.'
            : `Wrote ${count(stale.length, 'workflow')}: ${stale.map(({ file }) => file).join(', ')}.`,
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

/** Those of the catalog's workflows that there are, by their paths. */
export async function workflowFiles(
  ports: Ports,
  { root, catalog }: { readonly root: string; readonly catalog: Catalog },
): Promise<FileTree> {
  const found = new Map<string, string>()
  for (const file of catalogWorkflows(catalog).keys()) {
    const read = await ports.files.text(join(root, file))
    if (read.ok) found.set(file, read.value)
  }
  return found
}
