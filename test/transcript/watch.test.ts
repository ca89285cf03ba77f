import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { emptyFolder, write } from './terminal.ts'

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

test('protium render --watch shows each change as it is saved, and ends well by Ctrl-C', async () => {
  const folder = emptyFolder()
  write(folder, 'page.txt', 'port {{ 80 }}\n')
  const child = spawn(process.execPath, [cli, 'render', '--text', 'page.txt', '--watch'], { cwd: folder })
  onTestFinished(() => void child.kill('SIGKILL'))
  const seen: string[] = []
  let shown = ''
  child.stderr.on('data', (chunk: Buffer) => seen.push(String(chunk)))
  const exit = new Promise((resolve) => child.once('close', resolve))
  for await (const chunk of child.stdout) {
    shown += String(chunk)
    if (shown === 'port 80\n')
      write(folder, 'page.txt', `${readFileSync(join(folder, 'page.txt'), 'utf8')}host {{ 'a' }}\n`)
    if (shown.includes('+host a') && !child.killed) child.kill('SIGINT')
  }
  expect({ shown, seen, exit: await exit }).toEqual({
    shown:
      'port 80\n--- page.txt\n+++ rendered now\n@@ -1 +1,2 @@\n-port 80\n\\ No newline at end of file\n+port 80\n+host a\n\\ No newline at end of file\nStopped watching.\n',
    seen: [],
    exit: 0,
  })
})
