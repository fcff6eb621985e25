#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctypes_offsets.py MODEL MODULE: C that compiles where the classes of docs/shm_ctypes.py lie as the generated C does.

MODEL is the JSON of a schema, MODULE what shm_ctypes.py made of it. Prints the C, and how much it asserts at its end.
"""
import json
import re
import runpy
import sys


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def own(thing):
    return thing["c_name"] or snake(thing["name"])


def asserts(c_type, record, python):
    yield f'_Static_assert(sizeof({c_type}) == {python["ctypes"].sizeof(python["of"])}, "{c_type}");'
    names = {thing["name"]: own(thing) for thing in record.get("fields", [])}
    names |= {"has_" + name: "has_" + known for name, known in names.items()} | {"tag": "tag", "body": "body"} | names
    for field, _ in python["of"]._fields_:
        if re.fullmatch(r"_\d+", field):
            continue
        offset = getattr(python["of"], field).offset
        yield f'_Static_assert(offsetof({c_type}, {names[field]}) == {offset}, "{c_type}.{field}");'


def records(model):
    prefix = model["package"]["c_prefix"] or snake(model["package"]["name"].replace(".", "_"))
    for declaration in model["declarations"]:
        c_name = f"{prefix}_{own(declaration)}"
        if declaration["kind"] in ("struct", "message", "union"):
            yield c_name, declaration["name"], declaration
        elif declaration["kind"] == "service":
            for method in declaration["methods"]:
                for side in ("request", "reply"):
                    if isinstance(method[side], dict) and not method["composed_from"]:
                        yield (f"{declaration['c_prefix'] or c_name}_{own(method)}_{side}",
                               f"{declaration['name']}_{method['name']}_{side}", method[side])


model = json.load(open(sys.argv[1]))
module = runpy.run_path(sys.argv[2])
print(f'#include <stddef.h>\n#include "{model["file"]}.h"')
count = 0
for c_type, name, record in records(model):
    for line in asserts(c_type, record, {"ctypes": module["ctypes"], "of": module[name]}):
        print(line)
        count += 1
print(f"/* {count} */")
