import { describe, expect, test } from 'vitest'
import { evaluate, filled, holds, type Scope } from '../../demo/expressions.ts'

const contexts: Scope['contexts'] = {
  github: { ref: 'refs/heads/main', event: { number: 7 } },
  needs: { validate: { result: 'success', outputs: { stages: '["dev","prod"]', request: '' } } },
  inputs: { service: 'cart' },
}
const scope = (so: Scope['so'] = 'success'): Scope => ({ contexts, so })

describe('expressions of workflows', () => {
  test.each([
    ['github.ref', 'refs/heads/main'],
    ['github.event.number', 7],
    ["contains(fromJSON(needs.validate.outputs.stages), 'dev')", true],
    ["format('refs/heads/{0}', 'main') == github.ref", true],
    ["inputs.nothing || '.'", '.'],
    ['fromJSON(needs.validate.outputs.stages)', ['dev', 'prod']],
  ])('%s is %j', (expression, value) => {
    expect(evaluate(expression, scope())).toEqual(value)
  })

  test('a text that is one expression keeps the kind of its value, and others become text', () => {
    expect(filled('${{ fromJSON(needs.validate.outputs.stages) }}', scope())).toEqual(['dev', 'prod'])
    expect(filled('protium-${{ inputs.service }}-${{ github.event.number }}', scope())).toBe('protium-cart-7')
    expect(filled('no expression', scope())).toBe('no expression')
  })

  test('without a word of a status, what comes after a failure does not run', () => {
    const condition = "needs.validate.outputs.request == ''"

    expect(holds(undefined, scope())).toBe(true)
    expect(holds(undefined, scope('failure'))).toBe(false)
    expect(holds(condition, scope())).toBe(true)
    expect(holds(condition, scope('failure'))).toBe(false)
    expect(holds('${{ !cancelled() }}', scope('failure'))).toBe(true)
    expect(holds(`failure() && ${condition}`, scope('failure'))).toBe(true)
    expect(holds('always()', scope('cancelled'))).toBe(true)
  })

  test('an unknown name is refused as GitHub refuses it', () => {
    expect(() => evaluate('gihub.ref', scope())).toThrow(/gihub/u)
  })
})
