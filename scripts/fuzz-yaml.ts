import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { readRendered, readYaml } from '../src/core/yaml.ts'
import { same } from '../src/core/canonical.ts'
import { yamlText } from '../test/core/yaml-arbitrary.ts'

/**
 * Looks for texts that the fast reading of rendered templates takes and the reading with two parsers does not, and for
 * texts that make either throw. `node scripts/fuzz-yaml.ts --minutes 10 --seed 7 [--all]`; with `--all` it goes on after a
 * finding and prints the shortest of each kind.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
  },
})

const end = Date.now() + Number(values.minutes) * 60_000
const found = new Map<string, string>()
const most = 25
let failures = 0
let [texts, taken] = [0, 0]

function verdict(text: string): string | undefined {
  texts += 1
  const started = performance.now()
  const fast = readRendered('t.yaml', text)
  const slow = readYaml('t.yaml', text, 'cloudformation')
  if (performance.now() - started > 2_000) return 'slow'
  if (fast.ok) taken += 1
  if (fast.ok && slow.ok) return same(fast.value.data, slow.value.data) ? undefined : 'other data'
  return fast.ok === slow.ok ? undefined : `only ${fast.ok ? 'fast' : 'slow'} takes it`
}

for (let seed = Number(values.seed); Date.now() < end; seed += 1) {
  const property = fc.property(yamlText, (text) => {
    const wrong = verdict(text)
    if (wrong === undefined) return
    const known = found.get(wrong)
    if (known === undefined || text.length < known.length) found.set(wrong, text)
    throw new Error(wrong)
  })
  const result = fc.check(property, { seed, numRuns: 20_000, interruptAfterTimeLimit: Math.max(1, end - Date.now()) })
  if (!result.failed) continue
  console.log(`seed ${seed}: ${String(result.errorInstance)}\n  ${JSON.stringify(result.counterexample?.[0])}`)
  process.exitCode = 1
  failures += 1
  if (!values.all || failures >= most) break
}
console.log(`${texts} texts, ${taken} of them taken; ${found.size === 0 ? 'no difference' : 'DIFFERENCES'}`)
