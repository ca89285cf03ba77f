import { runAction } from '../../src/action.ts'
import { lock } from '../../src/commands/lock.ts'

await runAction(lock)
