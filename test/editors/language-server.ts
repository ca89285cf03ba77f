import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What an editor underlines. Lines count from 1, as everywhere else here. */
export type Underlined = { readonly line: number; readonly message: string }

/** The YAML language server that editors use, as a process that is spoken to as an editor does. */
export type LanguageServer = AsyncDisposable & {
  /** Opens a file, once, with a text that need not be saved; comes when the server has judged it. */
  readonly open: (file: string, text: string) => Promise<readonly Underlined[]>
  /** What is shown where the mouse rests: the first place of `word` in the file. */
  readonly hover: (file: string, word: string) => Promise<string>
  /** What is offered at the end of a line, counted from 1. */
  readonly completions: (file: string, line: number) => Promise<readonly string[]>
}

type Message = {
  readonly id?: number | string
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: unknown
}

const settings = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } },
  http: { proxy: '', proxyStrictSSL: true },
}

export async function startLanguageServer(root: string): Promise<LanguageServer> {
  const main = createRequire(import.meta.url).resolve('yaml-language-server')
  const binary = join(dirname(main), '../../bin/yaml-language-server')
  const child = spawn(process.execPath, [binary, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = new Map<number | string, (result: unknown) => void>()
  const judged = new Map<string, (found: readonly Underlined[]) => void>()
  const texts = new Map<string, string>()
  let asked = 0

  const send = (message: object): void => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
    child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`)
    child.stdin.write(body)
  }
  const ask = async (method: string, params: object): Promise<unknown> => {
    asked += 1
    const id = asked
    const answer = new Promise<unknown>((resolve) => answers.set(id, resolve))
    send({ id, method, params })
    return answer
  }
  const take = ({ id, method, params, result }: Message): void => {
    if (method === undefined) {
      if (id !== undefined) answers.get(id)?.(result)
    } else if (method === 'textDocument/publishDiagnostics') {
      judged.get(String(params?.['uri']))?.(readDiagnostics(params?.['diagnostics']))
    } else if (id !== undefined) {
      send({ id, result: method === 'workspace/configuration' ? configurations(params?.['items']) : null })
    }
  }
  let rest = Buffer.alloc(0)
  child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const end = rest.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/iu.exec(rest.subarray(0, Math.max(end, 0)).toString())?.[1] ?? -1)
      if (end === -1 || rest.length < end + 4 + length) return
      const message: Message = JSON.parse(rest.subarray(end + 4, end + 4 + length).toString())
      rest = rest.subarray(end + 4 + length)
      take(message)
    }
  })

  const uriOf = (file: string): string => pathToFileURL(join(root, file)).href
  await ask('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    workspaceFolders: [{ uri: pathToFileURL(root).href, name: 'catalog' }],
    capabilities: { workspace: { configuration: true }, textDocument: { hover: { contentFormat: ['markdown'] } } },
  })
  send({ method: 'initialized', params: {} })
  send({ method: 'workspace/didChangeConfiguration', params: { settings } })

  return {
    async open(file, text) {
      const uri = uriOf(file)
      const found = new Promise<readonly Underlined[]>((resolve) => judged.set(uri, resolve))
      texts.set(file, text)
      send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } })
      return found
    },
    async hover(file, word) {
      const before = (texts.get(file) ?? '').split(word)[0] ?? ''
      const lines = before.split('\n')
      const position = { line: lines.length - 1, character: (lines.at(-1)?.length ?? 0) + 1 }
      const result = await ask('textDocument/hover', { textDocument: { uri: uriOf(file) }, position })
      return textOf(fieldOf(result, 'contents'))
    },
    async completions(file, line) {
      const character = (texts.get(file) ?? '').split('\n')[line - 1]?.length ?? 0
      const position = { line: line - 1, character }
      const result = await ask('textDocument/completion', { textDocument: { uri: uriOf(file) }, position })
      const items = fieldOf(result, 'items')
      return Array.isArray(items) ? items.map((item: unknown) => String(fieldOf(item, 'label'))) : []
    },
    async [Symbol.asyncDispose]() {
      await ask('shutdown', {})
      send({ method: 'exit', params: {} })
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

/** The server asks for its settings by section: `yaml`, `http`. */
function configurations(items: unknown): unknown[] {
  if (!Array.isArray(items)) return []
  return items.map((item: unknown) => fieldOf(settings, String(fieldOf(item, 'section'))) ?? null)
}

function readDiagnostics(list: unknown): readonly Underlined[] {
  if (!Array.isArray(list)) return []
  const found = list.map((each: unknown) => ({
    line: Number(fieldOf(fieldOf(fieldOf(each, 'range'), 'start'), 'line')) + 1,
    message: textOf(fieldOf(each, 'message')),
  }))
  return found.toSorted((one, other) => one.line - other.line)
}

/** A text, or one in `{ value }` as Markdown is sent. */
function textOf(contents: unknown): string {
  if (typeof contents === 'string') return contents
  const value = fieldOf(contents, 'value')
  return typeof value === 'string' ? value : ''
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([each]) => each === key)?.[1]
    : undefined
}
