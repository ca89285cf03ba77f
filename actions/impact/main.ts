import { runAction } from '../../src/action.ts'
import { impact } from '../../src/commands/impact.ts'

await runAction(impact)
