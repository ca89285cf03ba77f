import { runAction } from '../../src/action.ts'
import { release } from '../../src/commands/release.ts'

await runAction(release)
