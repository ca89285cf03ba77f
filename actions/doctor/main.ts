import { runAction } from '../../src/action.ts'
import { doctor } from '../../src/commands/doctor.ts'

await runAction(doctor)
