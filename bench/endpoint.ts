/**
 * The fake CloudFormation as a process of its own that answers at once: nothing in it takes any time. It sends its URL to
 * who has started it, and on every message how many requests it has answered since.
 */
import { realClock, startCloudFormation } from '../test/fakes/cloudformation/server.ts'

const fake = await startCloudFormation({
  clock: realClock(),
  durations: { '*': 0 },
  changeSetSeconds: 0,
  staleReads: 0,
})
process.on('message', () => {
  process.send?.(fake.requests().map(({ action, status }) => `${action} ${status}`))
  fake.forget()
})
process.on('disconnect', () => process.exit(0))
process.send?.(fake.url)
