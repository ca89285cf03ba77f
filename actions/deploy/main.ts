import { runAction } from '../../src/action.ts'
import { deploy } from '../../src/commands/deploy.ts'

await runAction(deploy)
