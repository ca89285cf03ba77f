"""Writes test/core/jinja/value-cases.json: what Jinja2 itself makes of many small expressions.

Run with Jinja2 3.1.6 on CPython 3.11:  python3 scripts/jinja-value-cases.py
The expressions are products of values, filters, tests, methods and operators, and random ones from a fixed seed, so that
running it again gives the same file. Each has its text, or the class and the words of its error.
"""

import json
import pathlib
import random
import re
import warnings

import jinja2

CONTEXT = {
    "s": "str", "d": {"x": 1}, "dd": {"a": 1, "b": "two"}, "l": ["a", "b", "c"], "h": "<a href=\"x\">&'",
    "u": "h\u00e9llo w\u00f6rld \U0001f600 \u00df", "big": 123456789012345678901, "nums": [3, 1, 2, 10, -5],
    "mixed": [1, "a", None, 2.5, True], "words": ["banana", "Apple", "cherry", "apple", "BANANA"],
    "users": [
        {"name": "Bob", "age": 30, "tags": ["x", "y"]},
        {"name": "alice", "age": 25, "tags": []},
        {"name": "Carol", "age": 30, "tags": ["z"]},
    ],
    "para": "The quick brown fox\njumps over the lazy-dog well-known x--y and   a-very-long-hyphenated-word.\n\nEnd",
    "ws": "  \t hi there \n ",
    "url": "see http://example.com/a?b=1 and (www.foo.org), mail me@x.com or <https://a.b/c>. mailto:z@q.de",
}

VALUES = """none true false 0 1 -5 3.7 -0.0 1e100 1e16 1.5e-7 big [] [3,1,2] ['b','A','a'] (1,) () {} {'b':1,'a':[1,2]}
{1:2} nums mixed words users range(3) range(0,10,3) nope d.nope l[9] dd.keys() dd.items() 'x' '' namespace(a=1)
('a','b') [nope] [none,none] users|groupby('age') h|safe""".split()

TEXTS = ["s", "''", "u", "ws", "'Hello World'", "'aXbXc'", "'\u00df \u0149 \u01c6'", "'123'", "'a\\tb'",
         "'l1\\nl2\\r\\nl3'", "'it\\'s'", "h|safe", "'\u0391\u03a3 \u0391\u03a3\u0391'", "'-42'", "'\u0663'", "'\u00bd'", "'_x1'"]

METHODS = """capitalize() casefold() isalnum() isalpha() isascii() isdecimal() isdigit() isidentifier() islower()
isnumeric() isprintable() isspace() istitle() isupper() lower() lstrip() rstrip() strip() split() rsplit() splitlines()
swapcase() title() upper() expandtabs() center(20) center(21,'*') ljust(9) rjust(9,'.') zfill(9) count('a') count('')
find('l') rfind('l') find('l',2) find('l',-3,-1) index('') replace('l','L') replace('','-') replace('l','',1)
split('l') split('l',1) rsplit('l',1) rsplit(none,1) split(none,1) split(sep='l',maxsplit=1) partition('l')
rpartition('l') startswith('H') endswith(('d','3')) startswith('e',1) strip('Hd') join(['1','2']) join('ab')
removeprefix('He') removesuffix('ld') splitlines(true) expandtabs(3) translate({97:'AA',98:none}) center() zfill()
upper(1) split('') replace('a') find(1) startswith(1) center(5,'ab') isalpha(1) join([1]) join(5) nope()""".split()

FILTERS = """abs capitalize count default dictsort e filesizeformat first float forceescape int items|list join last
length list lower max min pprint reverse|list round safe select|list reject|list slice(2)|list slice(3,'x')|list
batch(2)|list batch(3,'x')|list sort string striptags sum title tojson trim unique|list upper urlencode wordcount
wordwrap(7) wordwrap(5,false) truncate(8) truncate(8,true) truncate(5,true,'') truncate(5,false,'..',0) truncate(2)
indent indent(2,true) indent('>',true,true) int(7) int(base=16) int(0,0) float(1.5) replace('l','L') replace('l','L',1)
center(15) join('-') tojson(2) tojson(indent=4) urlize map('string')|list map(attribute='name')|list
selectattr('age')|list rejectattr('age')|list selectattr('age','gt',26)|map(attribute='name')|list groupby('age')
groupby('age')|map('first')|list sort(attribute='age') sort(attribute='age,name') unique(attribute='age')|list
min(attribute='age') max(attribute='age') sum(attribute='age') join(',',attribute='name') format attr('x') round(2)
round(-1) round(1,'ceil') round(1,'floor') round(0,'x') sum(start=5) select('odd')|list select('equalto',1)|list
dictsort(by='value') dictsort(false,'value',true) dictsort(by='x') default('D') default('D',true) d(default_value=3)
map|list selectattr|list select('nope')|list map('nope')|list join(1) center(width=9) trim('a') xmlattr list(1)
truncate(killwords=true,length=4,end='') sort(nope=1) replace('a')""".split()

TESTS = """odd even defined undefined none boolean false true integer float lower upper string mapping number sequence
iterable callable escaped filter test divisibleby(2) sameas(none) in([1,'x',none]) eq(1) ne(1) gt(1) lt('a') ge(2)
le(0) equalto('x')""".split()

OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "~"]

R = random.Random(20210614)


def text():
    if R.random() < 0.2:
        return R.choice(["s", "u", "para", "ws"])
    letters = R.choice(["abc ", "aB-_ .", "xyz123", "\u00e9 \u00df\U0001f600a", "<&>a ", "-- aab-b ", " \u00a0\u2003x", "%{}[]!:a0"])
    return '"' + "".join(R.choice(letters) for _ in range(R.randint(0, 14))) + '"'


def integer():
    return str(R.choice([0, 1, 2, 3, 7, 10, -1, -3, 100, 255, -1234567, 2**53, 2**63, 10**25, R.randint(-50, 50)]))


def decimal():
    if R.random() < 0.4:
        return repr(R.choice([0.1, 0.5, 1.5, 2.5, -2.5, 0.125, 1e-5, 123456.789, 1e15, 1e16, 1e22, 5e-324, 3.0, -0.0]))
    return repr(R.choice([1, -1]) * R.random() * 10.0 ** R.randint(-12, 20))


def value(depth=0):
    chance = R.random()
    if depth < 2 and chance < 0.12:
        return "[" + ", ".join(value(depth + 1) for _ in range(R.randint(0, 4))) + "]"
    if depth < 2 and chance < 0.2:
        pairs = (R.choice([text, integer])() + ": " + value(depth + 1) for _ in range(R.randint(0, 3)))
        return "{" + ", ".join(pairs) + "}"
    if chance < 0.5:
        return text()
    if chance < 0.7:
        return f"({integer()})"
    return f"({decimal()})" if chance < 0.88 else R.choice(["none", "true", "false", "l", "nums", "words", "users", "dd"])


def specification():
    parts = [["", "", "<", ">", "^", "=", "*<", "0^"], ["", "", "+", "-", " "], ["", "", "#"], ["", "", "0"],
             ["", "", str(R.randint(1, 18))], ["", "", "", ",", "_"], ["", "", f".{R.randint(0, 9)}"],
             ["", "", *"dfegsxXob%nEGFc"]]
    return "".join(R.choice(part) for part in parts)


def directive():
    flags = "".join(R.sample("-+ #0", R.randint(0, 2)))
    return "%" + flags + R.choice(["", str(R.randint(0, 15))]) + R.choice(["", f".{R.randint(0, 8)}"]) + R.choice("sdifeEgGxXorac%")


def anything():
    kind = R.randrange(8)
    number = R.choice([integer, decimal, decimal])
    if kind == 0:
        return "'{:%s}'.format(%s)" % (specification(), value())
    if kind == 1:
        return f"'{directive()}|{directive()}' % ({value()}, {value()})"
    if kind == 2:
        return f"({number()}) {R.choice(OPERATORS[:6])} ({number()})"
    if kind == 3:
        return f"({number()})|round({R.randint(-4, 8)})"
    if kind == 4:
        return f"{text()}|wordwrap({R.randint(1, 20)}, break_on_hyphens={R.choice(['true', 'false'])})"
    if kind == 5:
        return f"({value()})[{R.choice(['', '1', '-2'])}:{R.choice(['', '2', '-1'])}:{R.choice(['', '1', '-1', '2'])}]"
    if kind == 6:
        return f"{value()}|{R.choice(['tojson', 'pprint', 'string', 'list'])}"
    return f"[{value()}, {decimal()}]"


def expressions():
    products = [f"({v})|{f}" for v in VALUES + TEXTS + ["url"] for f in FILTERS]
    products += [f"({t}).{m}" for t in TEXTS for m in METHODS]
    products += [f"({v}) is {t}" for v in VALUES for t in TESTS]
    products += [f"({v}) {o} ({w})" for v in VALUES for w in VALUES for o in OPERATORS if not (o == "**" and "e1" in w + "big")]
    products += [template.format(v) for v in VALUES for template in
                 ("[{}]", "not {}", "-({})", "'T' if {} else 'F'", "({}).x", "({})['x']", "({})[0]", "({})[-1]", "({})[1:]", "({})()")]
    return R.sample(products, 1600) + [anything() for _ in range(900)]


def main():
    warnings.simplefilter("ignore")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    cases = {}
    for expression in expressions():
        try:
            case = {"text": environment.from_string("{{ " + expression + " }}").render(**CONTEXT)}
        except Exception as error:  # every class of error is of interest
            case = {"error": type(error).__name__, "message": str(error)}
        shown = json.dumps(case)
        # Addresses in memory, sets and complex numbers are what a deterministic rendering refuses.
        if re.search(r"0x[0-9a-f]{9,}|\d+j\)|MemoryError|^.{600}", shown, re.I) or re.fullmatch(r"\{[^:]+\}|set\(\)", case.get("text", "")):
            continue
        cases[expression] = case
    lines = ",\n".join("  " + json.dumps([expression, *case.values()]) for expression, case in cases.items())
    path = pathlib.Path(__file__).parent.parent / "test/core/jinja/value-cases.json"
    context = json.dumps(CONTEXT)
    path.write_text(f'{{\n "context": {context},\n "cases": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
