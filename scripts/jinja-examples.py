"""Renders the examples of templates/ with Jinja2 itself and compares them with their expected files.

Run with Jinja2 3.1.6 and PyYAML:  python3 scripts/jinja-examples.py
It shares nothing with Protium: defaults are filled in from the schema here, and the context is put together here. A
difference is printed as a unified diff, and the exit code is 1.
"""

import difflib
import json
import pathlib
import sys

import jinja2
import yaml

ROOT = pathlib.Path(__file__).parent.parent
KINDS = {"infrastructure": "environment", "instance_infrastructure": "service"}


def filled(types, schema, value):
    """The value with the defaults of the schema, in the order of the schema."""
    if "$ref" in schema:
        schema = types[schema["$ref"].rsplit("/", 1)[-1]]
    if isinstance(value, list) and "items" in schema:
        return [filled(types, schema["items"], each) for each in value]
    properties = schema.get("properties")
    if not isinstance(value, dict) or properties is None:
        return value
    result = {}
    for name, inner in properties.items():
        if name in value or "default" in inner:
            result[name] = filled(types, inner, value.get(name, inner.get("default")))
    return result | {name: each for name, each in value.items() if name not in result}


class Components(dict):
    """An instance without a component: what it is asked for is an empty map."""

    default = {"outputs": {}}


def context_of(kind, inputs, around):
    """What Proton lets a template see: https://docs.aws.amazon.com/proton/latest/userguide/parameters.html"""
    environment = around.get("environment", {})
    if kind == "environment":
        return {"environment": {"name": environment["name"], "inputs": inputs}}
    instance = dict(around.get("service_instance", {}))
    instance["components"] = instance.get("components") or Components()
    return {
        "environment": environment,
        "service": around["service"],
        "service_instance": instance | {"inputs": inputs, "environment": environment},
    }


def rendered(bundle, part, case):
    schema = yaml.safe_load((bundle / "schema/schema.yaml").read_text())["schema"]
    kind = KINDS[part]
    inputs = yaml.safe_load((case / "inputs.yaml").read_text()) or {}
    around = json.loads((case / "context.json").read_text())
    types = schema["types"]
    context = context_of(kind, filled(types, types[schema[f"{kind}_input_type"]], inputs), around)
    manifest = yaml.safe_load((bundle / part / "manifest.yaml").read_text())
    file = manifest["infrastructure"]["templates"][0]["file"]
    jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(bundle))
    return file, jinja.get_template(f"{part}/{file}").render(context)


def main():
    cases = sorted(path.parent for path in ROOT.glob("templates/*/v*/examples/*/inputs.yaml"))
    compared = differing = 0
    for case in cases:
        bundle = case.parent.parent
        for part in (name for name in KINDS if (bundle / name).is_dir()):
            file, text = rendered(bundle, part, case)
            expected = (case / "expected" / part / file).read_text()
            compared += 1
            if text != expected:
                differing += 1
                lines = (expected.splitlines(True), text.splitlines(True))
                sys.stdout.writelines(difflib.unified_diff(*lines, str(case.relative_to(ROOT)), "Jinja2"))
    print(f"{compared} files of {len(cases)} examples rendered with Jinja2 {jinja2.__version__}, {differing} different")
    return 1 if differing > 0 or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
