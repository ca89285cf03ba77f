"""Writes test/core/jinja/cases.json: what Jinja2 itself makes of the templates below.

Run with Jinja2 3.1.6:  python3 scripts/jinja-cases.py
Each case is rendered with StrictUndefined and otherwise default settings, over one context and one set of files.
"""

import json
import pathlib

import jinja2

CONTEXT = {
    "name": "checkout",
    "port": 8080,
    "ratio": 0.5,
    "two": 2.0,
    "big": 12345678901234567890,
    "on": True,
    "off": False,
    "none_value": None,
    "empty": "",
    "nothing": [],
    "bare": {},
    "tags": ["web", "blue", "eu"],
    "nested": [[1, 2], [3, [4, 5]], []],
    "inputs": {"cpu": 256, "memory": 512, "image": "nginx:1", "env": {"A": "1", "B": "two"}},
    "instances": [
        {"name": "dev", "inputs": {"size": 1}, "outputs": {}},
        {"name": "prod", "inputs": {"size": 4}, "outputs": {"url": "https://example.com"}},
    ],
    "tree": [{"n": "a", "kids": [{"n": "b", "kids": []}, {"n": "c", "kids": [{"n": "d", "kids": []}]}]}],
    "html": "<b>&\"'</b>",
    "text": "The quick  brown\tfox\njumps over\r\nthe lazy dog",
    "word": "straße",
    "numbers": [3, 1, 2, 10],
    "people": [{"n": "Zoe", "a": 30}, {"n": "adam", "a": 4}, {"n": "Bob", "a": 30}],
    "s": "outer",
    "ports": {"https": 443, "8080": "api", "80": "web", "9": {"b": 1, "2": 2, "1": 3}},
}

FILES = {
    "base.j2": "[{% block head %}base head{% endblock %}|{% block body %}base body of {{ name }}{% endblock %}]{{ set_in_child is defined }}",
    "mid.j2": "{% extends 'base.j2' %}{% block head %}mid+{{ super() }}{% endblock %}",
    "lib.j2": "{% macro hello(who, greeting='Hi') %}{{ greeting }} {{ who }}{% endmacro %}{% set answer = 42 %}{% set _hidden = 1 %}{% macro ctx() %}{{ s }}{% endmacro %}text of lib",
    "number.j2": "{% set answer = 42 %}{% filter length %}abc{% endfilter %}",
    "html.j2": "<b>",
    "part.j2": "part({{ s }},{{ x|default('no x') }})",
    "loops.j2": "{% for t in tags %}{{ loop.index }}{{ t }} {% endfor %}",
    "setter.j2": "{% set x = 'from setter' %}{{ x }}",
    "self.j2": "{% block one %}1{% endblock %}{{ self.one() }}{{ self.one() }}",
    "required.j2": "{% block must required %}{% endblock %}",
    "broken.j2": "{% if %}",
    "undefined.j2": "{{ not_there }}",
    "scoped.j2": "{% for i in [1,2] %}{% block item scoped %}{{ i }}{% endblock %}{% endfor %}",
    "unscoped.j2": "{% for i in [1,2] %}{% block item %}{{ i is defined }}{% endblock %}{% endfor %}",
    "macros.j2": "{% macro outer() %}<{{ caller() }}>{% endmacro %}{% macro list(items) %}{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}",
}

TEMPLATES = r"""
{{ name }}
{{name}}{{port}}{{ratio}}{{two}}{{big}}{{on}}{{off}}{{none_value}}
{{ tags }} {{ inputs }} {{ nested }} {{ bare }} {{ nothing }}
{{ inputs.cpu + inputs['memory'] }}
{{ instances[0].inputs.size }}{{ instances[-1].outputs.url }}
{{ instances.1.name }}
{{ missing }}
{{ inputs.missing }}
{{ inputs.missing.deeper }}
{{ missing.deeper }}
{{ tags[7] }}
{{ tags['x'] }}
{{ name.missing }}
{{ port.missing }}
{{ none_value.x }}
{{ missing + 1 }}
{{ 1 + missing }}
{{ missing ~ 'x' }}
{{ missing == 1 }}
{{ 1 == missing }}
{{ missing in tags }}
{{ 'a' in missing }}
{{ not missing }}
{{ -missing }}
{{ missing() }}
{{ missing|upper }}
{{ missing|default('d') }}{{ inputs.missing|default('e') }}
{{ missing is defined }}{{ inputs.missing is defined }}{{ name is defined }}
{{ missing is undefined }}
{% if missing %}a{% endif %}
{% for x in missing %}a{% endfor %}
{% if missing is defined and missing.x %}a{% else %}b{% endif %}
{{ 'x' if missing is defined else 'y' }}
{{ 'x' if off }}|
{{ ('x' if off) is defined }}
{{ ('x' if off)|default('gone') }}
{{ ('x' if off) ~ 'y' }}
{% for x in ('a' if off) %}n{% else %}none{% endfor %}
{{ ('a' if off) + 1 }}
{{ ('a' if off).x }}
{{ ('a' if off)|length }}
{{ 'a' if on else 'b' if off else 'c' }}
{{ 'a' if off else 'b' if off else 'c' }}
{{ ('a' if off else 'b') if on else 'c' }}
{{ 1 if on if off else 3 }}
{{ 1 + 2 * 3 - 4 / 2 }}
{{ 2 ** 3 ** 2 }}
{{ -2 ** 2 }}
{{ (-2) ** 2 }} {{ 2 ** -1 }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }}
{{ 1 - 2 - 3 }} {{ 100 / 10 / 2 }} {{ 2 - -2 }} {{ - - 2 }}
{{ 'a' ~ 'b' ~ 1 ~ none ~ true ~ 1.0 ~ [1] }}
{{ 1 ~ 2 + 3 ~ 4 }}
{{ 'x' * 3 + 'y' }}
{{ -1|abs }} {{ (-1)|abs }}
{{ not true }} {{ not not 1 }} {{ not 1 == 2 }} {{ not (1 == 2) }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 >= 2 != 1 }} {{ 1 == 1.0 == true }}
{{ 1 in [1] == true }}
{{ 1 not in [1] }} {{ not 1 in [1] }} {{ 'b' not in 'abc' }}
{{ 1 and 2 }} {{ 0 or 'x' }} {{ '' or 0 }} {{ 1 or missing }} {{ 0 and missing }}
{{ true and not false or missing }}
{{ 1 is odd and 2 is even }} {{ 1 is not even }} {{ not 1 is even }}
{{ 10 is divisibleby 5 }} {{ 10 is divisibleby(3) }} {{ 'a' is in 'abc' }} {{ 2 is in [1,2] }}
{{ 3 is ge 3 }} {{ 3 is eq 3.0 }} {{ 3 is sameas 3 }}
{{ 1 is odd is true }}
{{ [1,2] is sequence }} {{ {} is mapping }} {{ 'x' is string }} {{ 1.0 is float }} {{ 1 is integer }} {{ none is none }}
{{ name is upper or name is lower }}
{{ 5 is number == true }}
{{ 'abc' is filter }} {{ 'upper' is filter }} {{ 'odd' is test }}
{{ [1, 2, 3][0] }}{{ (1, 2)[1] }}{{ {'a': 1}['a'] }}{{ {'a': {'b': {'c': 3}}}.a.b.c }}
{{ {1: 'x', 'a': 2, none: 3, true: 4} }}
{{ {'a': 1, 'a': 2} }}
{{ () }} {{ (1,) }} {{ (1, 2) }} {{ 1, 2 }} {{ 1, }}
{{ [1, 2,] }} {{ {'a': 1,} }} {{ [] }} {{ {} }} {{ [[]] }} {{ {'a': []} }}
{{ {[1]: 2} }}
{{ tags[0:2] }} {{ tags[1:] }} {{ tags[:-1] }} {{ tags[::2] }} {{ tags[::-1] }} {{ name[1:4] }} {{ (1,2,3)[1:] }}
{{ tags[1:2:1] }} {{ name[::-1] }} {{ tags[5:] }} {{ tags[-2:] }}
{{ port[1:] }}
{{ tags[0, 1] }}
{{ 'a' 'b' "c" }}
{{ 'it''s' }}
{{ "a\nb\tc\\d\"e\'f\x41\u00e9\U0001F600\101\q" }}
{{ "\
joined" }}
{{ 'multi
line' }}
{{ "\é" }}
{{ "\xZZ" }}
{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 00 }} {{ 1e3 }} {{ 1.5e-3 }} {{ 1_0.5_0 }} {{ 0xff_ff }} {{ 1E5 }}
{{ 012 }}
{{ 1__0 }}
{{ 1. }}
{{ .5 }}
{{ 1.0.real }}
{{ 1.5|int }} {{ 1.9|round|int }}
{{ 12345678901234567890 * 10 }} {{ 2 ** 64 }} {{ -(2 ** 63) }} {{ 9007199254740992 + 1 }}
{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e22 }} {{ 1.0 }} {{ 100.0 }} {{ 1e-5 }} {{ 0.0001 }} {{ 1/3 }} {{ -0.0 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (2,) }}
{{ 'a' < 1 }}
{{ none < 1 }}
{{ [1, 2] < [1, 3] }} {{ 'a' < 'b' }} {{ (1, 'a') < (1, 'b') }} {{ true < 2 }}
{{ 'a' - 'b' }}
{{ {} + {} }}
{{ -'a' }}
{{ name() }}
{{ port() }}
{{ inputs.nope() }}
{{ name.upper(1) }}
{{ name.upper() }} {{ name.title() }} {{ 'a,b'.split(',') }} {{ ' x '.strip() }} {{ name.replace('c', 'C') }}
{{ inputs.items()|list }} {{ inputs.keys()|list }} {{ inputs.values()|list }} {{ inputs.get('cpu') }} {{ inputs.get('x', 'y') }} {{ inputs.get('x') }}
{{ tags.index('blue') }} {{ tags.count('web') }}
{{ '%s is %d' % ('a', 3) }} {{ '%05.2f' % 1.5 }} {{ '{} {x}'.format(1, x=2) }}
{{ name|upper|lower|title|length }}
{{ tags|join(', ')|upper }}
{{ tags|join(d='-') }}
{{ tags|first }} {{ tags|last }} {{ numbers|sort }} {{ numbers|max }} {{ numbers|sum }} {{ tags|reverse|list }}
{{ people|map(attribute='n')|list }} {{ people|selectattr('a', 'gt', 10)|map(attribute='n')|join(' ') }}
{{ people|sort(attribute='n')|map(attribute='n')|list }}
{% for key, group in people|groupby('a') %}{{ key }}:{{ group|length }} {% endfor %}
{{ inputs|tojson }} {{ tags|tojson }} {{ html|tojson }}
{{ html|e }} {{ html|escape|upper }} {{ html|safe }} {{ html|forceescape }}
{{ name|nope }}
{{ name is nope }}
{% if off %}{{ name|nope }}{% endif %}
{% if on %}{{ name|nope }}{% endif %}
{{ name|nope if off else 'fine' }}
{% if off %}{% for x in tags %}{{ x|nope }}{% endfor %}{% endif %}
{% if name is nope %}{% endif %}
{{ name|upper() }} {{ name|truncate(5, true, '.') }} {{ name|default(*['a']) }}
{{ dict(**{'a': 1}) }} {{ dict(a=1, **{'b': 2}) }} {{ dict([('x', 1)], y=2) }}
{{ dict(a=1, **{'a': 2}) }}
{{ range(5)|list }} {{ range(2, 8, 3)|list }} {{ range(3, 0, -1)|list }} {{ range(3) }} {{ range(5)[2] }} {{ 3 in range(5) }}
{{ range(0, 10, 0)|list }}
{% for x in tags %}{{ x }}{% endfor %}
{% for x in tags %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}
{% for x in tags %}{{ loop.previtem|default('-') }}<{{ x }}>{{ loop.nextitem|default('-') }} {% endfor %}
{% for x in tags %}{{ loop.previtem }}{% endfor %}
{% for x in tags %}{{ loop.nextitem }}{% endfor %}
{% for x in tags %}{{ loop.cycle('odd', 'even') }}{% endfor %}
{% for x in tags %}{{ loop.cycle() }}{% endfor %}
{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}
{% for x in [1,1,2] %}{{ loop.changed(x, 'a') }} {% endfor %}
{% for x in tags %}{{ loop }}{% endfor %}
{% for x in tags %}{{ loop.nope }}{% endfor %}
{% for x in tags %}{{ loop.nope is defined }}{% endfor %}
{% for x in tags %}{{ loop|length }}{% endfor %}
{% for x in numbers if x > 2 %}{{ loop.index }}:{{ x }}/{{ loop.length }}{{ loop.last }} {% endfor %}
{% for x in numbers if x > 99 %}{{ x }}{% else %}none{% endfor %}
{% for x in numbers if loop is defined %}{{ x }}{% endfor %}
{% for x in nothing %}{{ x }}{% else %}empty{% endfor %}
{% for x in nothing %}{% else %}{{ loop is defined }}{% endfor %}
{% for x in 'abc' %}{{ x }}-{% endfor %}
{% for x in inputs %}{{ x }} {% endfor %}
{% for k, v in inputs.items() %}{{ k }}={{ v }} {% endfor %}
{% for k, v in inputs|dictsort %}{{ k }}={{ v }} {% endfor %}
{% for k, v in inputs %}{{ k }}{% endfor %}
{% for a, b in [[1, 2], (3, 4), 'ab'] %}{{ a }}{{ b }} {% endfor %}
{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}
{% for a, in [[1]] %}{{ a }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for a, b in [[1]] %}{{ a }}{% endfor %}
{% for a, b in [1] %}{{ a }}{% endfor %}
{% for a, b in numbers|batch(2) if a > 2 %}{{ a }}{{ b }}{{ loop.previtem|default('') }} {% endfor %}
{% for x in 1, 2, 3 %}{{ x }}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for x in tags %}{% for y in numbers %}{{ loop.index }}{{ x }}{% endfor %}{{ loop.index }}{% endfor %}
{% for x in tags %}{% set outer = loop %}{% for y in [1,2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% for x in range(3) %}{% if loop.first %}f{% elif loop.last %}l{% else %}m{% endif %}{% endfor %}
{% for n in tree recursive %}{{ n.n }}{{ loop.depth }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}
{% for n in tree recursive %}{{ n.n }}{{ loop(n.kids) }}{% else %}.{% endfor %}
{% for n in nested %}{{ loop(n) }}{% endfor %}
{% for n in tree recursive %}{% for k in n.kids %}{{ k.n }}{{ loop.index }}{% endfor %}{% endfor %}
{% for x in [1, 2] %}{{ x }}{% endfor %}{{ x is defined }}
{% set x = 9 %}{% for x in [1, 2] %}{{ x }}{% endfor %}{{ x }}
{% for s in [1] %}{{ s }}{% endfor %}{{ s }}
{% for x in [1, 2, 3] %}{{ y is defined }}{% set y = x %}{{ y }}{% endfor %}{{ y is defined }}
{% for x in tags %}{% set s = s ~ x %}{{ s }} {% endfor %}{{ s }}
{% set s = s ~ '!' %}{{ s }}
{% set z = z %}{{ z }}
{{ z }}{% set z = 1 %}
{% if on %}{% set z = 1 %}{% endif %}{{ z }}
{% if off %}{% set z = 1 %}{% endif %}{{ z }}
{% if off %}{% set s = 1 %}{% endif %}{{ s }}
{% if off %}{% set s = 1 %}{% elif on %}{% set s = 2 %}{% endif %}{{ s }}
{% if on %}{% if on %}{% set q = 5 %}{% endif %}{% endif %}{{ q }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set a, b = b1, 2 %}{{ a }}{{ b }}
{% set (a, b) = [1, 2] %}{{ a }}{{ b }}
{% set a, b = [1] %}
{% set a = 1, 2 %}{{ a }}
{% set a, b = 'xy' %}{{ b }}{{ a }}
{% set x %}block {{ name }}{% endset %}[{{ x }}]
{% set x | upper %}block {{ name }}{% endset %}[{{ x }}]
{% set x | replace('b', 'B') | trim %} block {% endset %}[{{ x }}]
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}
{% set ns = namespace(a=1) %}{% for i in [1,2,3] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}
{% set ns = namespace() %}{{ ns.x is defined }}{% set ns.x = 1 %}{{ ns.x }}{{ ns.y is defined }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}
{% set ns.x = 1 %}
{% set name.x = 1 %}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}
{% set ns = namespace() %}{% set ns.t %}text{% endset %}{{ ns.t }}
{% set ns = namespace(x=1) %}{{ ns }}
{% with %}{{ name }}{% endwith %}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}
{% with s = 1, t = s %}{{ s }}{{ t }}{% endwith %}{{ s }}
{% with a, b = [1, 2] %}{{ a }}{% endwith %}
{% with (a, b) = (1, 2) %}{{ a }}{{ b }}{% endwith %}
{% with a = 1 %}{% set a = 2 %}{% set b = 3 %}{{ a }}{% endwith %}{{ b is defined }}
{% with a = 1 %}{% with b = a %}{{ a }}{{ b }}{% endwith %}{% endwith %}
{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}
{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m(a=1) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ a is defined }}{{ a|default('d') }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(c=2) }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }} {{ m(1) }}
{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(1) }}
{% macro m(a=b, b=1) %}{{ a is defined }}{% endmacro %}{{ m() }}
{% macro m(x) %}{{ s }}{{ x }}{% endmacro %}{% set s = 'changed' %}{{ m(1) }}
{{ m() }}{% macro m() %}{% endmacro %}
{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}
{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro m() %}{% set s = 1 %}{{ s }}{% endmacro %}{{ m() }}{{ s }}
{% macro m(a, b=1, *c) %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(a, a) %}{{ a }}{% endmacro %}{{ m(1) }}
{% macro m(a, b=2) %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}
{% macro m() %}{{ caller() }}{{ kwargs }}{% endmacro %}{{ m.catch_kwargs }}{{ m.caller }}{{ m }}
{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body {{ name }}{% endcall %}
{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b=5) m() %}{{ a }}{{ b }}{% endcall %}
{% macro m() %}[{{ caller(1) }}]{% endmacro %}{% call(a, b=5) m() %}{{ a }}{{ b }}{% endcall %}
{% macro m(x) %}[{{ x }}]{% endmacro %}{% call m(1) %}body{% endcall %}
{% macro m() %}[{{ caller is defined }}]{% endmacro %}{{ m() }}{% call m() %}{% endcall %}
{% macro m() %}[{{ caller() }}]{% endmacro %}{{ m() }}
{% macro m(caller=none) %}[{{ caller }}]{% endmacro %}{{ m() }}
{% macro m(caller) %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m(caller='c') %}[{{ caller() }}]{% endmacro %}{% call m() %}z{% endcall %}
{% call name %}x{% endcall %}
{% call name() %}x{% endcall %}
{% macro outer() %}{{ caller() }}{% endmacro %}{% macro inner() %}({{ caller() }}){% endmacro %}{% call outer() %}{% call inner() %}{{ name }}{% endcall %}{% endcall %}
{% for i in [1,2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}
{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set x = 1 %}
{% macro m() %}{{ s }}{% endmacro %}{{ m() }}{% set s = 1 %}
{% macro m() %}{{ s }}{% endmacro %}{{ s }}{{ m() }}{% set s = 1 %}{{ m() }}
{% macro m(x) %}{% for i in x %}{{ loop.index }}{% endfor %}{% endmacro %}{{ m('ab') }}
{% macro m(items) %}{% for i in items %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(x) m(tags) %}<{{ x }}>{% endcall %}
{% if off %}{% macro m() %}{% endmacro %}{% endif %}{{ m is defined }}
{{ [m]|length }}{% macro m() %}{% endmacro %}
{% filter upper %}abc {{ name }}{% endfilter %}
{% filter upper|replace('A', 'x')|trim %} abc {% endfilter %}
{% filter indent(2, first=true) %}a
b{% endfilter %}
{% filter nope %}{% endfilter %}
{% filter upper %}{% set y = 1 %}{{ y }}{% endfilter %}{{ y is defined }}
{% print 1, name %}
{% print %}
{% raw %}{{ x }}{% if %}{% endraw %}
a {%- raw %}  {{ x }}  {%- endraw %} b
a {%- raw -%}  {{ x }}  {%- endraw -%} b
{% raw %}{% raw %}{% endraw %}
{% raw %}unclosed
{# comment #}a{# multi
line #}b
a  {#- trimmed -#}  b
{# unclosed
{{ name }
{{ name
{% if on
{{ 'unclosed }}
a   {{- name -}}   b
a   {%- if on -%}   b   {%- endif -%}   c
a   {%+ if on +%}   b   {%+ endif %}   c
  {%- if on %}
  x
  {%- endif %}
{{-name}}{{- name -}}{{+name}}
{{ 1 -}} x
a {{ -1 }} b {{-1}} c
{%- set x = 1 -%}  {{ x }}
{%if on%}y{%endif%}{%-if on-%} y {%-endif-%}
{% if on: %}x{% endif %}
{% for x in tags: %}{{ x }}{% endfor %}
a{{ name }}
b
{% if on %}
{{ name }}
{% endif %}
tail
{{ {'a': {'b': 1}}['a'] }}}}
{{{'a': 1}}}
{{ {} }}
{{ '}}' }} {{ '%}' }} {{ "{{" }}
{% set x = '%}' %}{{ x }}
{{ [1, 2}} }}
{{ (1] }}
{{ 1) }}
{{ }}
{% %}
{% 1 %}
{{ name name }}
{{ name | }}
{{ name. }}
{{ name.'x' }}
{{ .name }}
{{ name[] }}
{{ name[1 }}
{{ f(a b) }}
{{ f(a=1, 2) }}
{{ f(**a, b) }}
{{ f(*a, b) }}
{{ range(*[3])|list }} {{ range(*[1], **{}) |list }}
{{ range(*5) }}
{{ dict(**[1]) }}
{{ f(a=1, a=2) }}
{{ a ? b : c }}
{{ a && b }}
{{ a || b }}
{{ !a }}
{{ a === b }}
{{ a <> b }}
{{ a =! b }}
{{ $a }}
{{ a; b }}
{{ a = 1 }}
{{ @a }}
{{ `a` }}
{{ a if }}
{{ if a }}
{{ a else b }}
{{ not }}
{{ is defined }}
{{ a is }}
{{ a in }}
{{ a not b }}
{{ 1 + }}
{{ * 1 }}
{{ True }}{{ False }}{{ None }}{{ true }}{{ false }}{{ none }}
{{ TRUE }}
{{ null }}
{{ nil }}
{% set true = 1 %}
{% set none = 1 %}
{% set 1 = 2 %}
{% set 'a' = 2 %}
{% set a.b.c = 2 %}
{% set a[0] = 2 %}
{% set a b = 1 %}
{% set = 1 %}
{% set a = %}
{% set a %}{% endset
{% set a %}
{% for in tags %}{% endfor %}
{% for x tags %}{% endfor %}
{% for x in %}{% endfor %}
{% for 1 in tags %}{% endfor %}
{% for x.y in tags %}{% endfor %}
{% for loop in tags %}{{ loop }}{% endfor %}
{% for x in tags %}{% set loop = 1 %}{% endfor %}
{% for x in tags %}
{% for x in tags %}{% endif %}
{% if on %}{% endfor %}
{% endif %}
{% else %}
{% elif on %}
{% if on %}a{% else %}b{% else %}c{% endif %}
{% if on %}a{% elseif off %}b{% endif %}
{% if %}{% endif %}
{% if on %}
{% if on then %}{% endif %}
{% while on %}{% endwhile %}
{% do name %}
{% for x in tags %}{% break %}{% endfor %}
{% for x in tags %}{% continue %}{% endfor %}
{% trans %}a{% endtrans %}
{% debug %}
{% unknown %}
{% macro %}{% endmacro %}
{% macro m %}{% endmacro %}
{% macro m( %}{% endmacro %}
{% macro 1m() %}{% endmacro %}
{% macro m(1) %}{% endmacro %}
{% macro m() %}
{% call %}{% endcall %}
{% block %}{% endblock %}
{% block a-b %}{% endblock %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% block a %}{{ name }}{% endblock a %}
{% block a %}{{ name }}{% endblock b %}
{% block a %}{% block b %}inner{% endblock %}{% endblock %}
{% set x = 1 %}{% block a %}{{ x }}{% endblock %}
{% for i in [1] %}{% block a %}{{ i is defined }}{% endblock %}{% endfor %}
{% for i in [1] %}{% block a scoped %}{{ i }}{{ loop.index }}{% endblock %}{% endfor %}
{% block a required %}{% endblock %}
{% block a required %}x{% endblock %}
{% block a scoped required %}  {# c #} {% endblock %}
{% with %}{% set y = 1 %}{% block a %}{{ y is defined }}{% endblock %}{% endwith %}
{{ self.a() }}{% block a %}A{% endblock %}
{{ self.b() }}
{{ self.b is defined }}
{% block a %}{{ super() }}{% endblock %}
{% block a %}{{ super is defined }}{% endblock %}
{{ super() }}
{% extends 'base.j2' %}
{% extends 'base.j2' %}{% block head %}child{% endblock %}
{% extends 'base.j2' %}{% block body %}({{ super() }}){% endblock %}ignored {{ missing }}
{% extends 'base.j2' %}{% set set_in_child = 1 %}{% block body %}{{ set_in_child }}{% endblock %}
{% extends 'mid.j2' %}{% block head %}top+{{ super() }}{% endblock %}
{% extends 'mid.j2' %}{% block head %}{{ super.super() }}{% endblock %}
{% extends 'mid.j2' %}{% block body %}{{ self.head() }}{% endblock %}
{% extends 'none.j2' %}
{% extends missing %}
{% extends 'base.j2' %}{% extends 'base.j2' %}
{% if on %}{% extends 'base.j2' %}{% endif %}{% block head %}x{% endblock %} not shown
{% if off %}{% extends 'base.j2' %}{% endif %}{% block head %}x{% endblock %} shown
{% for x in tags %}{% extends 'base.j2' %}{% endfor %}
before {% extends 'base.j2' %}
{% extends 'base.j2' if on else 'mid.j2' %}
{% extends 'required.j2' %}
{% extends 'required.j2' %}{% block must %}ok{% endblock %}
{% extends 'scoped.j2' %}{% block item %}[{{ i }}]{% endblock %}
{% extends 'unscoped.j2' %}{% block item %}[{{ i is defined }}]{% endblock %}
{% extends 'base.j2' %}{% macro m() %}M{% endmacro %}{% block head %}{{ m() }}{% endblock %}
{% extends 'base.j2' %}{% import 'lib.j2' as lib %}{% block head %}{{ lib.hello('x') }}{% endblock %}
{% extends 'base.j2' %}{% include 'part.j2' %}
{% include 'part.j2' %}
{% set x = 1 %}{% include 'part.j2' %}
{% set x = 1 %}{% include 'part.j2' without context %}
{% include 'part.j2' with context %}
{% for x in [1, 2] %}{% include 'part.j2' %}{% endfor %}
{% with x = 'w' %}{% include 'part.j2' %}{% endwith %}
{% macro m(x) %}{% include 'part.j2' %}{% endmacro %}{{ m('arg') }}
{% include 'setter.j2' %}{{ x is defined }}
{% include 'none.j2' %}
{% include 'none.j2' ignore missing %}ok
{% include 'none.j2' ignore missing with context %}ok
{% include ['none.j2', 'part.j2'] %}
{% include ['none.j2', 'nope.j2'] %}
{% include ['none.j2', 'nope.j2'] ignore missing %}ok
{% include [] %}
{% include 'pa' ~ 'rt.j2' %}
{% include missing %}
{% include missing ignore missing %}
{% include 5 %}
{% include 'broken.j2' %}
{% include 'broken.j2' ignore missing %}
{% include 'undefined.j2' ignore missing %}
{% include 'loops.j2' %}
{% include 'self.j2' %}
{% import 'lib.j2' as lib %}{{ lib.hello('x') }} {{ lib.answer }} {{ lib.hello('y', greeting='Yo') }}
{% import 'lib.j2' as lib %}{{ lib._hidden is defined }}{{ lib.nope is defined }}
{% import 'lib.j2' as lib %}{{ lib.nope }}
{% import 'lib.j2' as lib %}{{ lib.ctx() }}
{% import 'lib.j2' as lib with context %}{{ lib.ctx() }}
{% set s = 'mine' %}{% import 'lib.j2' as lib with context %}{{ lib.ctx() }}
{% import 'lib.j2' as lib %}{{ lib }}
{% import 'none.j2' as lib %}
{% from 'lib.j2' import hello %}{{ hello('x') }}
{% from 'lib.j2' import hello as hi, answer %}{{ hi('x') }}{{ answer }}
{% from 'lib.j2' import nope %}{{ nope is defined }}
{% from 'lib.j2' import nope %}{{ nope }}
{% from 'lib.j2' import _hidden %}
{% from 'lib.j2' import ctx with context %}{{ ctx() }}
{% from 'lib.j2' import hello, ctx without context %}{{ hello(1) }}
{% from 'lib.j2' import hello, %}{{ hello(1) }}
{% from 'lib.j2' import %}
{% from 'lib.j2' %}
{% import 'lib.j2' %}
{% from 'macros.j2' import outer %}{% call outer() %}in {{ name }}{% endcall %}
{% import 'macros.j2' as m %}{% call(x, n) m.list(tags) %}{{ n }}{{ x }} {% endcall %}
{% for x in tags %}{% from 'lib.j2' import hello %}{{ hello(x) }} {% endfor %}{{ hello is defined }}
{% autoescape true %}{{ html }}{{ html|safe }}{{ '<' ~ '>' }}{% endautoescape %}{{ html }}
{% autoescape false %}{{ html }}{% endautoescape %}
{% autoescape on %}{{ html }}{% endautoescape %}
{% autoescape true %}{% macro m() %}<i>{{ html }}{% endmacro %}{{ m() }}{% endautoescape %}
{% autoescape true %}{% set x %}<b>{{ html }}</b>{% endset %}{{ x }}{% endautoescape %}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}
{% set j = joiner('|') %}{% for x in tags %}{{ j() }}{{ x }}{% endfor %}
{{ {'a': 1}.items() }}
{{ {'a': 1}|items|list }}
{{ (1, 2) + (3,) }} {{ [1] * 2 }} {{ 2 * (1,) }}
{{ 1.5 // 1 }} {{ 1.5 % 1 }} {{ 2 ** 0.5 }} {{ 4 ** 0.5 }} {{ 10 ** 20 }} {{ 10 ** -2 }}
{{ 'ab'[0] }}{{ 'ab'[-1] }}{{ 'ab'[5] is defined }}
{{ tags.0 }}{{ tags.5 is defined }}
{{ inputs['env']['A'] }}{{ inputs.env.B }}{{ inputs["cpu"] }}
{{ inputs[missing] }}
{{ tags[1.0] is defined }} {{ tags[true] }}
{{ tags[none] is defined }}
{% set x = [] %}{{ x.append(1) }}{{ x }}
{% set d = {} %}{{ d.update({'a': 1}) }}{{ d }}
{% set d = {'b': 1, 'a': 2} %}{% for k in d|sort %}{{ k }}{% endfor %}
{{ nested|string|length }}
{{ word|upper }} {{ word|length }} {{ 'ÀÉ'|lower }}
{{ variable_with_ünïcode is defined }}
{% set größe = 3 %}{{ größe }}
{{ 名 is defined }}
{{ a² }}
{{ ²a }}
{{ text }}
{{ text.splitlines() }}
{{ 'a\r\nb' }}
{% set f = 'x' %}{{ f|default }}{{ missing|default }}|
{{ ''|default('x', true) }}{{ none|default('x', boolean=true) }}{{ 0|d(1) }}
{{ [1, [2, {'a': (3, 4)}]] }}
{{ "it's" }} {{ ["it's", 'say "x"', "both ' and \""] }}
{{ ['\n', '\t', '\\', '\x00', 'é', '\u200b'] }}
{{ joiner is defined }} {{ cycler is defined }} {{ lipsum is defined }} {{ self is defined }} {{ loop is defined }} {{ caller is defined }} {{ varargs is defined }}
{{ loop }}
{% set a = 1 %}{% set a = a + 1 %}{% set a = a * 10 %}{{ a }}
{% for i in range(3) %}{% for j in range(i) %}{{ i }}{{ j }} {% else %}none {% endfor %}{% endfor %}
{{ (numbers|sort)[0] }} {{ numbers|sort|first + 1 }}
{{ numbers|length > 3 }} {{ numbers|length == 4 and 'yes' or 'no' }}
{{ name|length is even }}
{{ 'a' if 'x' in inputs else inputs.cpu if 'cpu' in inputs else 'b' }}
{{ "%s" % name }} {{ "%s-%s" % (name, port) }} {{ "%d%%" % 5 }}
{% if name == 'checkout' and port > 80 or off %}yes{% else %}no{% endif %}
{% if tags %}t{% endif %}{% if nothing %}n{% endif %}{% if bare %}b{% endif %}{% if empty %}e{% endif %}{% if 0.0 %}z{% endif %}{% if none_value %}o{% endif %}{% if '0' %}s{% endif %}
{% for i in instances %}{{ i.name }}:{% if i.outputs.url is defined %}{{ i.outputs.url }}{% else %}-{% endif %} {% endfor %}
{% for i in instances %}{{ i.outputs.url }}{% endfor %}
{{ instances|map(attribute='inputs.size')|sum }} {{ instances|map(attribute='outputs.url', default='none')|list }}
{{ [1,2,3]|map('string')|join }} {{ tags|map('upper')|list }} {{ [0,1,2]|select|list }} {{ [1,2,3]|reject('odd')|list }}
{{ ports }}{% for port, name in ports.items() %} {{ port }}={{ name }}{% endfor %} {{ ports|tojson }} {{ ports|list }} {{ ports['9'].keys()|first }}
{% include {'none.j2': 1} ignore missing %}
{% filter length %}abc{% endfilter %}
{% filter length %}abc{% endfilter %}{{ missing }}
{% filter list %}abc{% endfilter %}{{ 1 // 0 }}
{% set x %}{% filter length %}abc{% endfilter %}{% endset %}{{ missing }}
{% import 'number.j2' as lib %}{{ lib.answer }}
{% import 'number.j2' as lib %}{{ lib }}
{% import 'lib.j2' as lib %}{{ [lib] }}{{ (lib,) ~ lib }}
{{ (missing, 1) in bare }}
{{ {(1, [missing]): 1} }}
{{ 1 or name|nope }}{{ none and name is nope }}{{ true and 1 or name|nope }}
{{ 0 or name|nope }}
{{ true and name|nope }}
{{ 'at http://example.com/a'|urlize(-4) }} {{ 'at http://example.com/a'|urlize(-99) }} {{ 'none here'|urlize(1.5) }} {{ 'at www.a.de'|urlize(0) }}
{{ 'none here'|urlize(missing) }}
{{ 'at http://example.com/a'|urlize(1.5) }}
{{ (1, 2, 3) == (1, missing) }}
{{ [1, 2, 3] == [1, missing] }}
{{ (1, 2, 3) == (2, missing) }}
{{ '{a.b}'.format(a=missing) }}
{% if on %}{{ name|nope(a=1) }}{% endif %}
{{ tags|slice(missing)|list }}
{{ name|wordwrap(missing) }}
{{ name|wordwrap(5, wrapstring=missing) }}
{{ port|round(method=missing) }}
{{ port|attr(missing) }}
{{ missing|sum(start='a') }}
{{ inputs|dictsort(by=missing) }}
{{ inputs|tojson(missing) }}
{{ port|selectattr('a')|reverse }}
{{ port.is_integer is defined }} {{ two.is_integer() }}
{{ "-a-'-a-a\t1-a"|wordwrap(3, break_long_words=false) }}
{{ "a-1-a-word'\t          é---"|wordwrap(7)|pprint }} {{ 'x-é-😀-a--b-cc-'|wordwrap(2)|pprint }} {{ '            '|wordwrap(5)|pprint }} {{ 'ab            '|wordwrap(5)|pprint }}
{% if on %}{% set v = 1 %}{% if off %}{% set w = v %}{% elif on %}{% set v = 2 %}{% set w = v %}{% endif %}{% else %}{% set s = v %}{% endif %}{{ v }}{{ w }}{{ s }}
{% if off %}{% set s = 1 %}{% elif s %}{% set v = s %}{% if v %}{% set s = v ~ '!' %}{% endif %}{% endif %}{{ s }}{{ v }}
{{ '\u0390\u03a3\ufeff\ufb01z \u0391\u03a3'.title() }} {{ 'a\u03a3b\u03a3 \u0130\u03a3'.swapcase() }} {{ '\u1e9e'.casefold() }}
{{ '\ufeffa@b.co http://a.de/\ufeff'|urlize }}
{{ '\x1c3'|int(7) }} {{ '\x853'|int(7) }} {{ '3\x1f'|float(7) }} {{ '\u20033\x0b'|float(7) }}
{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1cbbbbbbbbbbbbbbbbbbbbbbbbbb\ufeffcccccccccccccccccccccccccccccc'|pprint }}
{% set two = 2 %}{{ -1 ** two }} {{ (-3) ** two }} {{ (1 - 3) ** two }} {{ '-2'|int ** two }} {{ -two ** 2 }} {{ -0.5 ** two }} {{ -1 ** two ** two }} {{ -1 ** 2 ** two }} {{ 2 ** -two }} {{ [-2][0] ** two }}
{% set two = 2 %}{% autoescape on %}{{ -1 ** two }}{% endautoescape %} {% for i in [1, 2, 3] %}{{ -1 ** loop.index }}{% endfor %} {{ (-1)|abs ** two }} {{ -true ** two }}
{{ 0 / -12345678901234567890 }} {{ 0 / -5 }} {{ (0 * -5) / 5 }}
{% import 'html.j2' as im %}{{ im is escaped }}{{ im|e }}{{ im|urlize }}{% autoescape true %}{{ im }}{{ im|forceescape }}{{ im ~ '<' }}{% endautoescape %}
{{ {missing: 1, 'a': ()(1)} }}
{{ {'a': 1, missing: 2} }}
{{ name.partition('k'|safe) }} {{ name.partition('K'|safe) }}
{{ numbers.sort(true) }}
{{ numbers.sort(reverse=true) }}{{ numbers }}
{% include [missing, 'part.j2'] %}
{% include [missing, 'none.j2'] ignore missing %}ok
{% include (missing,) %}
{% include none_value %}
{% include [[]] %}
{{ ('x' if off)|last is defined }} {{ ('x' if off)|reverse|list }} {{ ('x' if off)|urlencode }} {{ ('x' if off) is sequence }} {{ missing is sequence }}
{{ ('x' if off) is filter }} {{ ('x' if off) in bare }} {{ {('x' if off): 1, ('y' if off): 2} }} {{ [3, ('x' if off), ('y' if off)]|unique|list }}
{{ dict(('x' if off)) }}
{{ tags|map(inputs)|list }}
{{ tags|select(nothing)|list }}
{{ tags|map(missing)|list }}
{% autoescape true %}{% set n | length %}{{ html }}{% endset %}{{ n }} {{ n|e }} {{ n ~ '<' }}{% endautoescape %}
{% autoescape true %}{% set n | length %}{{ html }}{% endset %}{{ n + 1 }}{% endautoescape %}
{% autoescape on %}{{ '<' }}{{ ['<'] }}{{ '<' ~ '>' }}{{ '<'|upper }}{{ html }}{{ {'a': '<'}.a }}{{ '<' if on }}{% autoescape true %}{{ '<' }}{% endautoescape %}{% endautoescape %}
{% autoescape true %}{% autoescape on %}{{ '<' }}{{ html }}{% endautoescape %}{% endautoescape %}
"""


def split(text):
    """One template a line; a line that does not begin one (no tag, or deliberately broken) joins those that were open."""
    templates = []
    for line in text.strip("\n").split("\n"):
        if templates and CONTINUES(templates[-1]):
            templates[-1] += "\n" + line
        else:
            templates.append(line)
    return templates


OPEN = {
    '{{ "\\': 2,
    "{{ 'multi": 2,
    "{% filter indent(2, first=true) %}a": 2,
    "{# comment #}a{# multi": 2,
    "  {%- if on %}": 3,
    "a{{ name }}": 6,
}


def CONTINUES(template):
    lines = template.split("\n")
    return len(lines) < OPEN.get(lines[0], 1)


EXTRA = [
    "a\n",
    "a\n\n",
    "a\r\nb\rc\r\n",
    "\n\n  {{ name }}\r\n{%- if on %}\r\n x\r\n{% endif %}\r\n",
    "",
    "\n",
    "{{ name }}\n{{ port }}\n",
    "{% if on -%}\n\n  x  \n\n{%- endif %}\n\n",
    "{% raw %}\r\n{{ x }}\r\n{% endraw %}\r\n",
    "{# c #}\n{{ name }}",
    "tab\t{{- name -}}\t\ttab",
    "\u00a0\u2003{{- name -}}\u2028x",
    "line\x0c{{- name }}",
    "a{#",
    "a {#-",
    "a{#\n",
    "a{# ",
    "a{% raw %}",
    "a{% raw -%}  \n\n",
    "a{% raw %} ",
    "a{%",
    "a{{",
]


def outcome(environment, source):
    try:
        return {"text": environment.from_string(source).render(**json.loads(json.dumps(CONTEXT)))}
    except Exception as error:  # every class is wanted
        return {"error": type(error).__name__}


def main():
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, loader=jinja2.DictLoader(FILES))
    templates = split(TEMPLATES) + EXTRA
    cases = [{"template": source, **outcome(environment, source)} for source in templates]
    found = {
        "note": f"Written by scripts/jinja-cases.py with Jinja2 {jinja2.__version__}; do not edit.",
        "context": CONTEXT,
        "files": FILES,
        "cases": cases,
    }
    target = pathlib.Path(__file__).parent.parent / "test" / "core" / "jinja" / "cases.json"
    target.write_text(json.dumps(found, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(cases)} cases, {sum('error' in case for case in cases)} of them errors")


if __name__ == "__main__":
    main()
