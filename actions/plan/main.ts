import { runAction } from '../../src/action.ts'
import { plan } from '../../src/commands/plan.ts'

await runAction(plan)
