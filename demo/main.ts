/** `npm run demo`: the whole of it on this machine, with pages to look at. */
import { argv, exit, stderr, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { startDemo } from './demo.ts'

const { values } = parseArgs({
  args: argv.slice(2),
  options: { port: { type: 'string', default: '4010' }, help: { type: 'boolean', default: false } },
})
const port = Number(values.port)
if (values.help || !Number.isInteger(port) || port < 0 || port > 65_535) {
  const words = `Usage: npm run demo [-- --port N]

Starts a GitHub, a cloud and pages on this machine, with a sample organisation in them. No account is needed, nothing leaves
127.0.0.1, and all of it is gone when you stop it with Ctrl-C. --port says where the pages are: 4010, or 0 for any that is free.
`
  ;(values.help ? stdout : stderr).write(words)
  exit(values.help ? 0 : 2)
}

// Who no longer listens is no reason to leave things behind.
stdout.on('error', () => undefined)
stdout.write('Everything stays on this machine, and is gone when you stop it.\n\n')
const starting = startDemo({
  port,
  progress: (what, said, milliseconds) =>
    stdout.write(`  ${what.padEnd(12)}${said.padEnd(44)}${(milliseconds / 1000).toFixed(1).padStart(5)} s\n`),
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void end())
try {
  const { url } = await starting
  stdout.write(`
Open ${url} and try, in any order:

  1  Request a service      see the plan for three stages, merge it, watch it go from stage to stage, approve production
  2  Fall into a trap       one word would replace a table with all orders in it: the plan says so, and holds it
  3  Break staging          it goes back by itself, production is never begun, and the comment says where to look
  4  Mend it                a second pull request goes through all stages
  5  Improve a template     it is held until it has a number, shows what it does to everybody, and is released when merged

Ctrl-C ends it.
`)
} catch (error) {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  stderr.write(
    isTaken
      ? `Port ${port} is taken. Choose another: npm run demo -- --port 0 takes any that is free.\n`
      : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  exit(1)
}

/** Ends it, as soon as it is whole: what is half begun cannot be taken away. */
async function end(): Promise<void> {
  stdout.write('\nStopping … ')
  try {
    await (await starting).close()
    stdout.write('nothing is left.\n')
    exit(0)
  } catch (error) {
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    exit(1)
  }
}
