#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A backend for shmc in another language: Python classes that lie in memory as the C structs do.

    shmc generate --emit json --out build -I idl idl/demo/kv.shm idl/demo/health.shm
    python3 shm_ctypes.py build demo/kv.shm.json >kv.py

What the file imports is read from the same folder. docs/json-model.md says what is in there.
"""
import json
import pathlib
import sys

SCALARS = {
    "bool": "c_bool", "float32": "c_float", "float64": "c_double",
    **{f"{sign}int{bits}": f"c_{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


class Module:
    """The text of one Python module, types before those that contain them."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = ["import ctypes", ""]
        self.declarations = {}
        self.made = set()

    def read(self, path):
        """Makes the declarations of a file and of all that it imports known; returns the file."""
        model = json.loads((self.folder / path).read_text())
        if model["schema_version"] != 1:
            sys.exit(f"{path}: another version of the model: {model['schema_version']}")
        for imported in model["imports"]:
            self.read(imported["file"] + ".json")
        for declaration in model["declarations"]:
            self.declarations[declaration["qualified_name"]] = declaration
        return model

    def structure(self, name, size, fields, base="Structure"):
        """A class whose bytes are these (offset, field, type of ctypes, size), and padding, which has no name."""
        rows, end = [], 0
        for offset, field, ctype, length in fields:
            if offset > end:
                rows.append(f'("_{end}", ctypes.c_uint8 * {offset - end})')
            rows.append(f'("{field}", {ctype})')
            end = 0 if base == "Union" else offset + length
        if size > end:
            rows.append(f'("_{end}", ctypes.c_uint8 * {size - end})')
        self.lines += ["", f"class {name}(ctypes.{base}):", "    _pack_ = 1", "    _fields_ = ["]
        self.lines += [f"        {row}," for row in rows] + ["    ]", "", f"assert ctypes.sizeof({name}) == {size}", ""]
        return name

    def type(self, type, name):
        """The type of ctypes; what needs a class of its own is called `name`."""
        kind = type["kind"]
        if kind in SCALARS:
            return "ctypes." + SCALARS[kind]
        if kind in ("enum", "flags"):
            return "ctypes." + SCALARS[self.declarations[type["declaration"]]["base"]]
        if kind in ("struct", "union"):
            return self.record(self.declarations[type["declaration"]])
        if kind == "array":
            return f"({self.type(type['element'], name)} * {type['capacity']})"
        count = ("length" if kind == "string" else "count", f"ctypes.c_uint{8 * type['count_size']}", type["count_size"])
        if kind == "vector":
            items = (f"({self.type(type['element'], name + '_item')} * {type['capacity']})",
                     type["element"]["size"] * type["capacity"])
        else:
            room = type["capacity"] + (kind == "string")
            items = (f"(ctypes.{'c_char' if kind == 'string' else 'c_uint8'} * {room})", room)
        fields = [(0, *count), (type["items_offset"], "text" if kind == "string" else "items", *items)]
        return self.structure(name, type["size"], fields)

    def record(self, record, name=None):
        """The class of a struct, message or union, or (with a name) of an inline body."""
        name = name or record["name"]
        if name in self.made:
            return name
        self.made.add(name)
        if "arms" in record:
            arms = [(0, arm["name"], self.type(arm["type"], f"{name}_{arm['name']}"), arm["type"]["size"])
                    for arm in record["arms"]]
            body = self.structure(f"{name}_body", record["body_size"], arms, "Union")
            fields = [(0, "tag", "ctypes.c_uint32", 4), (record["body_offset"], "body", body, record["body_size"])]
        else:
            fields = []
            for field in record["fields"]:
                if field["optional"]:
                    fields.append((field["has_offset"], "has_" + field["name"], "ctypes.c_uint8", 1))
                fields.append((field["offset"], field["name"], self.type(field["type"], f"{name}_{field['name']}"),
                               field["type"]["size"]))
        return self.structure(name, record["size"], fields)

    def file(self, model):
        """All that one file declares and that has a place in Python."""
        for declaration in model["declarations"]:
            kind, name = declaration["kind"], declaration["name"]
            if kind == "const":
                self.lines.append(f"{name} = {declaration['value']!r}")
            elif kind in ("enum", "flags", "errors"):
                rows = [f"    {member['name']} = {member.get('value', member.get('code'))}"
                        for member in declaration["members"]]
                self.lines += ["", f"class {name}:", *rows, ""]
            elif kind in ("struct", "message", "union"):
                self.record(declaration)
            elif kind == "service":
                for method in declaration["methods"]:
                    for side in ("request", "reply"):
                        if isinstance(method[side], dict) and not method["composed_from"]:
                            self.record(method[side], f"{name}_{method['name']}_{side}")
        return "\n".join(self.lines)


if __name__ == "__main__":
    module = Module(pathlib.Path(sys.argv[1]))
    print(module.file(module.read(sys.argv[2])))
