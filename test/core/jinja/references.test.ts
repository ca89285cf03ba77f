import { describe, expect, test } from 'vitest'
import { parseTemplate, referencesOf } from '../../../src/core/jinja/index.ts'
import { treeOf } from '../trees.ts'

const files = treeOf({
  'part.j2': '{{ service.name }}{{ own }}',
  'base.j2': '{% block body %}{{ environment.name }}{% endblock %}',
  'lib.j2': '{% macro m() %}{{ service.lib }}{% endmacro %}',
  'self.j2': '{% include "self.j2" %}{{ service.self }}',
  'broken.j2': '{% if %}',
})

/** References in short: `path line:column`, with the lengths that may be missing. */
function found(source: string): string[] {
  const template = parseTemplate('t', source, { files, root: 'r' })
  if (!template.ok) throw new Error(template.problems.map(({ message }) => message).join())
  return referencesOf(template.value).map(
    ({ path, at, guarded }) =>
      `${path.join('.')} ${at.file === 't' ? '' : `${at.file}:`}${at.line}:${at.column}${guarded.size > 0 ? ` may lack ${[...guarded].join()}` : ''}`,
  )
}

describe('the references of a template', () => {
  test.each([
    ['{{ a.b.c }}', ['a.b.c 1:4']],
    ["\n{{ a['b'].c[0].d }}", ['a.b.c.*.d 2:4']],
    ['{{ a.b[c.d].e }}', ['c.d 1:8', 'a.b 1:4']],
    ["{{ a.b.split(',') }}", ['a.b 1:4']],
    ['{{ f(a.b, x=c, *d, **e) }}', ['a.b 1:6', 'c 1:13', 'd 1:17', 'e 1:22', 'f 1:4']],
    ['{{ range(a) }}{{ true }}{{ none }}', ['a 1:10']],
    ['{{ [a, {b: c}] ~ (d + -e) }}', ['a 1:5', 'b 1:9', 'c 1:12', 'd 1:19', 'e 1:24']],
    ['{{ a | replace(b, c) }}', ['a 1:4', 'b 1:16', 'c 1:19']],
    ['{{ a.b > c.d }}', ['a.b 1:4', 'c.d 1:10']],
  ])('of %j are found, each at its beginning', (source, expected) => {
    expect(found(source)).toEqual(expected)
  })

  test.each([
    ['default', '{{ a.b | default(c) }}', ['a.b 1:4 may lack 2', 'c 1:18']],
    ['d and more filters', "{{ a.b | d('') | upper }}", ['a.b 1:4 may lack 2']],
    ['a default behind another filter does not help', "{{ a.b | upper | default('') }}", ['a.b 1:4']],
    ['is defined', '{{ a.b is defined }}', ['a.b 1:4 may lack 2']],
    [
      'an if',
      '{% if a.b is defined %}{{ a.b.c }}{% else %}{{ a.b }}{% endif %}',
      ['a.b 1:7 may lack 2', 'a.b.c 1:27 may lack 2', 'a.b 1:48'],
    ],
    [
      'an else',
      '{% if a.b is not defined %}x{% else %}{{ a.b }}{% endif %}',
      ['a.b 1:7 may lack 2', 'a.b 1:42 may lack 2'],
    ],
    ['an elif', '{% if a.b is undefined %}{% elif a.b %}{% endif %}', ['a.b 1:7 may lack 2', 'a.b 1:34 may lack 2']],
    ['and', '{{ a.b is defined and a.b }}', ['a.b 1:4 may lack 2', 'a.b 1:23 may lack 2']],
    ['or', '{{ a.b is undefined or a.b }}', ['a.b 1:4 may lack 2', 'a.b 1:24 may lack 2']],
    ['the wrong way round', '{{ a.b is defined or a.b }}', ['a.b 1:4 may lack 2', 'a.b 1:22']],
    ['an inline if', '{{ a.b if a.b is defined else c }}', ['a.b 1:11 may lack 2', 'a.b 1:4 may lack 2', 'c 1:31']],
    ['a key in a map', "{% if 'b' in a %}{{ a.b }}{% endif %}", ['a 1:14', 'a.b 1:21 may lack 2']],
    ['a key not in a map', "{% if 'b' not in a %}{% else %}{{ a.b }}{% endif %}", ['a 1:18', 'a.b 1:35 may lack 2']],
    [
      'a false default',
      '{% if a.b | default(false) %}{{ a.b }}{% endif %}',
      ['a.b 1:7 may lack 2', 'a.b 1:33 may lack 2'],
    ],
    [
      'a true default proves nothing',
      '{% if a.b | default(true) %}{{ a.b }}{% endif %}',
      ['a.b 1:7 may lack 2', 'a.b 1:32'],
    ],
    ['get', "{{ a.get('b') }}", ['a.b 1:4 may lack 2']],
    [
      'a loop with a condition',
      '{% for x in xs if a.b is defined %}{{ a.b }}{% endfor %}',
      ['xs 1:13', 'a.b 1:19 may lack 2', 'a.b 1:39 may lack 2'],
    ],
  ])('know where absence is provided for: %s', (_, source, expected) => {
    expect(found(source)).toEqual(expected)
  })

  test.each([
    ['a set', '{% set o = a.b %}{{ o.c }}', ['a.b 1:12', 'a.b.c 1:21']],
    ['a set of something computed', '{% set o = a.b + 1 %}{{ o.c }}', ['a.b 1:12']],
    [
      'a set in both branches',
      '{% if x %}{% set o = a.b %}{% else %}{% set o = a.b %}{% endif %}{{ o.c }}',
      ['x 1:7', 'a.b 1:22', 'a.b 1:49', 'a.b.c 1:69'],
    ],
    ['a set in one branch', '{% if x %}{% set o = a.b %}{% endif %}{{ o.c }}', ['x 1:7', 'a.b 1:22']],
    ['a loop', '{% for i in a.b %}{{ i.c }}{{ loop.index }}{% endfor %}', ['a.b 1:13', 'a.b.*.c 1:22']],
    ['a loop over pairs', '{% for k, v in a.b.items() %}{{ k }}{{ v.c }}{% endfor %}', ['a.b 1:16']],
    ['with', '{% with o = a.b %}{{ o.c }}{% endwith %}', ['a.b 1:13', 'a.b.c 1:22']],
    [
      'a macro',
      '{% macro m(a, b=c) %}{{ a.b }}{{ b }}{{ d.e }}{{ later }}{% endmacro %}{% set later = 1 %}{{ m(1) }}',
      ['c 1:17', 'd.e 1:41'],
    ],
    [
      'a call',
      '{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(x) m() %}{{ x.y }}{{ z }}{% endcall %}',
      ['z 1:74'],
    ],
    ['a set block', '{% set o %}{{ a }}{% endset %}{{ o.b }}', ['a 1:15']],
    ['a namespace', '{% set ns = namespace(x=a) %}{% set ns.x = b %}{{ ns.x }}', ['a 1:25', 'b 1:44']],
  ])('are followed through what the template sets: %s', (_, source, expected) => {
    expect(found(source)).toEqual(expected)
  })

  test.each([
    ['an include', "{% set own = 1 %}{% include 'part.j2' %}", ['service.name r/part.j2:1:4']],
    ['an include without context', "{% include 'part.j2' without context %}", []],
    ['a file that includes itself', "{% include 'self.j2' %}", ['service.self r/self.j2:1:27']],
    ['a name that is computed', '{% include a.b %}', ['a.b 1:12']],
    ['a file that is not there', "{% include 'none.j2' ignore missing %}", []],
    ['a file that cannot be read', "{% include 'broken.j2' %}", []],
    [
      'a parent',
      "{% extends 'base.j2' %}{% block body %}{{ a }}{% endblock %}",
      ['environment.name r/base.j2:1:20', 'a 1:43'],
    ],
    ['an import', "{% import 'lib.j2' as lib %}{{ lib.m() }}", []],
    ['an import with context', "{% from 'lib.j2' import m with context %}{{ m() }}", ['service.lib r/lib.j2:1:19']],
  ])('are read in other files too: %s', (_, source, expected) => {
    expect(found(source)).toEqual(expected)
  })
})
