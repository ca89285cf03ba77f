import { runAction } from '../../src/action.ts'
import { rollback } from '../../src/commands/rollback.ts'

await runAction(rollback)
