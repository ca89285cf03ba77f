import { runAction } from '../../src/action.ts'
import { consumers } from '../../src/commands/consumers.ts'

await runAction(consumers)
