#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate.py [--apart] SCHEMA FILE…: each FILE is as the JSON Schema says.

With --apart, every object in the files is also refused with one key more, and without each of its keys: so the schema
neither allows what it does not describe, nor describes what need not be there.
"""
import copy
import json
import sys

import jsonschema

faults = 0


def fault(text):
    global faults
    faults += 1
    print(text)


def objects(value, path=()):
    """The paths of all objects in a value."""
    if isinstance(value, dict):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from objects(child, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def take_apart(name, model, validator):
    tried = 0
    for path in objects(model):
        for change in [None, *at(model, path)]:
            if change == "alias":
                continue  # not every type was written as one
            changed = copy.deepcopy(model)
            if change is None:
                at(changed, path)["of_tomorrow"] = 1
            else:
                del at(changed, path)[change]
            tried += 1
            if validator.is_valid(changed):
                fault(f"{name}: passes with {list(path)} {f'without {change}' if change else 'and one key more'}")
    print(f"{name}: {tried} changes")


arguments = sys.argv[1:]
apart = arguments[0] == "--apart"
schema = json.load(open(arguments[apart]))
jsonschema.Draft202012Validator.check_schema(schema)
known = jsonschema.Draft202012Validator(schema)
for file in arguments[apart + 1:]:
    content = json.load(open(file))
    error = jsonschema.exceptions.best_match(known.iter_errors(content))
    if error:
        fault(f"{file}: {list(error.absolute_path)}: {error.message}")
    elif apart:
        take_apart(file, content, known)
sys.exit(1 if faults else 0)
