import { runAction } from '../../src/action.ts'
import { validate } from '../../src/commands/validate.ts'

await runAction(validate)
