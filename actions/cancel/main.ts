import { runAction } from '../../src/action.ts'
import { cancel } from '../../src/commands/cancel.ts'

await runAction(cancel)
