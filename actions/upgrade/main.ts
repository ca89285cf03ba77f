import { runAction } from '../../src/action.ts'
import { upgrade } from '../../src/commands/upgrade.ts'

await runAction(upgrade)
