import { describe, expect, test } from 'vitest'
import { html, markdown } from '../../demo/html.ts'

describe('pages of the demo', () => {
  test('what is put into a page is text, unless it is a piece of a page', () => {
    const name = `<script>alert("1")</script> & 'co'`

    expect(html`<p title="${name}">${[html`<b>${1}</b>`, name, undefined, false]}</p>`.html).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;"><b>1</b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;</p>',
    )
  })

  test('a comment is shown as GitHub shows it', () => {
    const page = markdown(
      '<!-- a mark -->\n## Plan\n\n> [!CAUTION]\n> **Gone**\n\n| a | b |\n|---|---|\n| `x` | y |\n\n<details><summary>More</summary>\n\n- one\n\n</details>\n',
    ).html

    expect(page).toContain('<div class="alert caution"><p class="kind">Caution</p>')
    expect(page).toContain('<td><code>x</code></td>')
    expect(page).toContain('<details><summary>More</summary>')
  })

  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<iframe src="//x">',
    '<style>*{}</style>',
    '<details onclick=alert(1)>',
  ])('%s is shown, not done', (text) => {
    const page = markdown(`a ${text} b`).html

    expect(page).not.toMatch(/<(?:script|img|iframe|style|details)/u)
    expect(page).toContain('&lt;')
  })

  test('a link goes where it says, and not to a script', () => {
    expect(markdown('[x](https://example.com/a)').html).toContain('href="https://example.com/a"')
    expect(markdown('[x](javascript:alert(1))').html).not.toContain('javascript:')
  })
})
