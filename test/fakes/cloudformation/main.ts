/**
 * The fake as a process: `node test/fakes/cloudformation/main.ts --port 0 [--pace 10] [--account 123456789012]` prints its
 * URL on one line, and runs until it is killed. `--bucket name` makes a bucket of that account, and may be repeated.
 */
import { parseArgs } from 'node:util'
import { realClock } from './clock.ts'
import { startCloudFormation } from './server.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    pace: { type: 'string', default: '1' },
    account: { type: 'string', default: '123456789012' },
    seconds: { type: 'string', default: '5' },
    bucket: { type: 'string', multiple: true, default: [] },
  },
})
const fake = await startCloudFormation({
  port: Number(values.port),
  clock: realClock({ pace: Number(values.pace) }),
  account: values.account,
  durations: { '*': Number(values.seconds) },
  buckets: Object.fromEntries(values.bucket.map((name) => [name, values.account])),
})
process.stdout.write(`${fake.url}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    fake.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        process.exit(1)
      },
    )
  })
}
