import { runAction } from '../../src/action.ts'
import { resume } from '../../src/commands/resume.ts'

await runAction(resume)
