"""The same work in Python: what a platform team would write with Jinja2, PyYAML (libyaml) and jsonschema.

usage: reference.py render CASES.json SECONDS
       reference.py fleet FOLDER

Prints one JSON document. `render` measures as `bench/engine.ts` does. `fleet` reads FOLDER as `bench/fleet.ts` wrote it:
`fleet.json` names the services' files, the templates with their schemas, and what lies in the environment of each stage.
"""

import hashlib
import json
import resource
import sys
import time

import jinja2
import yaml


class Loader(yaml.CSafeLoader):
    """CloudFormation's short tags become long form."""


def short_tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {"Fn::" + suffix: value}


Loader.add_multi_constructor("!", short_tag)


def environment():
    made = jinja2.Environment(undefined=jinja2.StrictUndefined)
    # Without an attached component these add nothing, in the two places where the templates have them.
    made.filters["proton_cfn_ecs_task_definition_formatted_env_vars"] = lambda outputs: ""
    made.filters["proton_cfn_iam_policy_arns"] = lambda outputs: ""
    return made


def peak_mb():
    """As in bench/peak.ts: of this process alone."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spend(action, seconds):
    """CPU microseconds of one action, by as many of them as fit in the time."""
    end = time.perf_counter() + seconds
    before = time.process_time()
    count = 0
    while time.perf_counter() < end:
        action()
        count += 1
    return (time.process_time() - before) / count * 1e6


def render_figures(case, seconds):
    def parse():
        return environment().from_string(case["source"])

    template = parse()
    contexts = json.loads(case["contexts"])
    texts = hashlib.sha256()
    for context in contexts:
        texts.update(template.render(context).encode())

    def render_all():
        for context in contexts:
            template.render(context)

    spend(render_all, seconds)
    rendering = spend(render_all, seconds) / len(contexts)
    parsing = sorted(spend(parse, seconds / 10) for _ in range(5))[2]
    return {"render": rendering, "parse": parsing, "texts": texts.hexdigest()}


def measure_render(cases_file, seconds):
    with open(cases_file) as file:
        cases = json.load(file)
    return {"cases": {case["name"]: render_figures(case, seconds) for case in cases}, "peak": peak_mb()}


def with_defaults(schema, inputs):
    filled = dict(inputs)
    for name, given in schema["properties"].items():
        if name not in filled and "default" in given:
            filled[name] = given["default"]
    return filled


def stage_inputs(spec, stage):
    """Inputs of a stage over those of the service; maps key by key."""
    inputs = dict(spec.get("inputs", {}))
    for name, value in ((spec.get("stages") or {}).get(stage) or {}).get("inputs", {}).items():
        base = inputs.get(name)
        inputs[name] = {**base, **value} if isinstance(value, dict) and isinstance(base, dict) else value
    return inputs


def measure_fleet(folder):
    import jsonschema

    start = time.perf_counter()
    with open(folder + "/fleet.json") as file:
        fleet = json.load(file)
    templates = {}
    for name, files in fleet["templates"].items():
        with open(folder + "/" + files["schema"]) as file:
            types = yaml.load(file, Loader=yaml.CSafeLoader)["schema"]
        schema = types["types"][types["service_input_type"]]
        with open(folder + "/" + files["template"]) as file:
            template = environment().from_string(file.read())
        templates[name] = (schema, jsonschema.Draft202012Validator(schema), template)
    texts = hashlib.sha256()
    resources = 0
    instances = 0
    for path in fleet["services"]:
        with open(folder + "/" + path) as file:
            spec = yaml.load(file, Loader=yaml.CSafeLoader)
        schema, validator, template = templates[spec["template"]]
        for stage in fleet["stages"]:
            inputs = with_defaults(schema, stage_inputs(spec, stage["name"]))
            host = spec["service"] + "." + stage["domain"]
            for name, given in schema["properties"].items():
                if given.get("x-protium-host") and host in spec.get("hosts", []):
                    inputs[name] = host
            validator.validate(inputs)
            text = template.render(
                environment=stage["environment"],
                service={
                    "name": spec["service"],
                    "branch_name": "",
                    "repository_id": "",
                    "repository_connection_arn": "",
                },
                service_instance={
                    "name": stage["name"],
                    "inputs": inputs,
                    "components": {},
                    "environment": stage["environment"],
                },
            )
            texts.update(text.encode())
            body = yaml.load(text, Loader=Loader)
            resources += len(body["Resources"])
            instances += 1
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "instances": instances,
        "resources": resources,
        "texts": texts.hexdigest(),
        "wall": time.perf_counter() - start,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": peak_mb(),
    }


if __name__ == "__main__":
    if sys.argv[1] == "render":
        print(json.dumps(measure_render(sys.argv[2], float(sys.argv[3]))))
    else:
        print(json.dumps(measure_fleet(sys.argv[2])))
