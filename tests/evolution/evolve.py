#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# evolve.py: random schemas that change step by step, and whether everybody agrees on what each step breaks.
#
#   evolve.py --shmc SHMC --cc CC --library FILE --include DIR… [--cflags FLAGS] [--seed N] [--chains N] [--steps N]
#             [--rounds N] [--jobs N] [--keep DIR]
#
# A chain is a schema and its successors, each by a step (steps.py) that breaks nothing on the wire. For each step
# `shmc breaking` must find the rules that it is known for and nothing else; no two versions of the chain, however far
# apart, may break the wire; and each must pass the lock of those before it. From each version several steps are tried
# that do break the wire: `shmc breaking` must say so and name the rule, and the lock must refuse it. The C of all
# versions of a chain is then compiled into one program, which exchanges messages between each two (exchange.c).
#
# More options may come in SHMRPC_EVOLUTION. The same seed gives the same run. The last line is `N passed, N failed`:
# pairs of schemas on which all agreed, or not.
import argparse
import concurrent.futures
import copy
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written into the source tree
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import schema as s
import steps

LOCKED = {"E407", "E408", "E409", "E410", "E411"}


class Chain:
    def __init__(self, options, number, folder):
        self.options, self.folder = options, folder
        self.seed = options.seed * 1000 + number
        self.random = random.Random(self.seed)
        self.passed, self.refused, self.complaints, self.kinds = 0, 0, [], {}
        self.pairs = self.methods = self.messages = 0

    # ---- what shmc says ----

    def run(self, *words):
        return execute(self.options.shmc, *words)

    def write(self, folder, schema):
        path = os.path.join(self.folder, folder)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "s.shm"), "w", encoding="utf-8") as file:
            file.write(s.schema_text(schema))
        return os.path.join(path, "s.shm")

    def must(self, done, what):
        if done.returncode != 0:
            raise RuntimeError(f"chain {self.seed}: {what}:\n{done.stdout}{done.stderr}")

    def freeze(self, path):
        self.must(self.run("freeze", path), "freeze")

    def findings(self, old, new):
        done = self.run("breaking", "--format=json", "--against", old, new)
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"chain {self.seed}: breaking:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def locked(self, old, new):
        """What the lock of the one file says of the other."""
        shutil.copy(old + ".lock", new + ".lock")
        done = self.run("check", "--format=json", new)
        os.remove(new + ".lock")
        codes = {entry["code"] for entry in json.loads(done.stdout) if entry["severity"] == "error"}
        if codes - LOCKED:
            raise RuntimeError(f"chain {self.seed}: {new} is no schema:\n{done.stdout}")
        return codes

    def judge(self, step, old, new, expected, breaks):
        """`expected`: the rules that it is known for; None: any that are not of the wire."""
        found = self.findings(old, new)
        rules = {entry["rule"] for entry in found}
        wire = {entry["rule"] for entry in found if entry["class"] == "wire"}
        codes = self.locked(old, new)
        fault = None
        if breaks and not (wire and expected <= rules):
            fault = f"breaking says {sorted(rules)}, and not {sorted(expected)}"
        elif breaks and not codes:
            fault = "the lock lets it pass"
        elif not breaks and (wire or (expected is not None and rules != expected)):
            fault = f"breaking says {sorted(rules)}, and not {sorted(expected or [])}"
        elif not breaks and codes:
            fault = f"the lock refuses it: {sorted(codes)}"
        if fault:
            both = "".join(f"--- {path}\n{text_of(path)}" for path in (old, new))
            self.complaints.append(f"chain {self.seed}, {step}: {fault}\n{both}")
        else:
            self.passed += 1
        self.kinds[step] = self.kinds.get(step, 0) + 1

    # ---- a chain ----

    def changed(self, schema, choices):
        while True:
            step, changed = self.random.choice(choices), copy.deepcopy(schema)
            expected = step(self.random, changed)
            if expected is None:
                continue
            # What breaks another rule of the language, such as the last member that goes, is no step.
            if self.run("check", self.write("tried", changed)).returncode == 0:
                return step.__name__, changed, expected
            self.refused += 1

    def evolve(self):
        schemas = [steps.new_schema(self.random)]
        paths = [self.write("v0", schemas[0])]
        self.freeze(paths[0])
        for number in range(1, self.options.steps + 1):
            self.break_it(schemas[-1], paths[-1])
            name, schema, expected = self.changed(schemas[-1], steps.COMPATIBLE)
            path = self.write(f"v{number}", schema)
            self.judge(name, paths[-1], path, expected, False)
            for earlier in paths[:-1]:
                self.judge("several steps", earlier, path, None, False)
            schemas.append(schema)
            paths.append(path)
            self.freeze(path)
        self.break_it(schemas[-1], paths[-1])
        if self.options.cc:
            self.exchange(schemas)

    def break_it(self, schema, path):
        for _ in range(self.options.breaks):
            name, broken, expected = self.changed(schema, steps.BREAKING)
            self.judge(name, path, self.write("broken", broken), expected, True)

    # ---- messages ----

    def exchange(self, schemas):
        folder = os.path.join(self.folder, "c")
        os.makedirs(folder)
        code = '#include "exchange.h"\n'
        for number, schema in enumerate(schemas):
            prefix = f"v{number}"
            with open(os.path.join(folder, f"{prefix}.shm"), "w", encoding="utf-8") as file:
                file.write(s.schema_text(schema, prefix))
        names = [f"v{number}" for number in range(len(schemas))]
        for name in names:
            words = ("--emit", "c", "--out", folder, "-I", folder, f"{folder}/{name}.shm")
            self.must(self.run("generate", *words), "generate")
        code += "".join(f'#define refuse_ {name}_refuse_\n#include "{name}.shm.c"\n#undef refuse_\n' for name in names)
        for name, schema in zip(names, schemas):
            code += Describer(name, schema).text
        code += "const ex_version *const ex_versions[] = {" + ", ".join(f"&{name}_version" for name in names) + "};\n"
        code += f"const uint32_t ex_version_count = {len(names)};\n"
        with open(os.path.join(folder, "chain.c"), "w", encoding="utf-8") as file:
            file.write(code)
        program = os.path.join(folder, "chain")
        includes = [f"-I{each}" for each in [folder, *self.options.include]]
        flags = [*shlex.split(self.options.cflags), "-std=c11", "-D_GNU_SOURCE", "-O0", "-w"]
        compiler = [self.options.cc, *flags, *includes]
        libraries = [*self.options.library, "-lprotobuf-c", "-pthread"]
        self.must(execute(*compiler, "-o", program, os.path.join(folder, "chain.c"), *libraries), "compile")
        done = execute(program, str(self.seed), str(self.options.rounds))
        counts = [word.split()[0] for word in (done.stdout.splitlines() or [""])[-1].split(", ")]
        if len(counts) != 4:
            raise RuntimeError(f"chain {self.seed}: exchange: status {done.returncode}\n{done.stdout}{done.stderr}")
        self.pairs, self.methods, self.messages, disagreements = map(int, counts)
        if disagreements or done.returncode:
            self.complaints.append(f"chain {self.seed}: {done.stdout}{done.stderr}")
        else:
            self.passed += self.pairs


def execute(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Describer:
    """What exchange.h wants to know of the generated types of one version."""

    def __init__(self, prefix, schema):
        self.prefix, self.schema, self.text, self.count, self.known = prefix, schema, "", 0, set()
        messages = []
        for decl in schema.of("struct", "union", "message"):
            self.record(decl)
        for message in schema.of("message"):
            messages.append(f"{{&{prefix}_{message.name.lower()}_info, &{self.name(message)}}}")
        self.text += f"static const ex_message {prefix}_messages[] = {{{', '.join(messages)}}};\n"
        self.text += (f"static const ex_version {prefix}_version = {{&{prefix}_{schema.service.lower()}_service_info, "
                      f"{schema.version}, {prefix}_messages, {len(messages)}}};\n")

    def name(self, decl):
        return f"{self.prefix}_ex_{decl.name.lower()}"

    def record(self, record):
        if record.name in self.known:
            return
        self.known.add(record.name)
        c_type = f"{self.prefix}_{record.name.lower()}"
        fields = []
        for field in record.fields:
            type = self.type(field.type)
            in_body = "body." if record.kind == "union" else ""
            has = f"offsetof({c_type}, has_{field.name})" if field.optional else "0"
            place = f"{int(field.optional)}, {has}, offsetof({c_type}, {in_body}{field.name})"
            fields.append(f'{{"{field.identity}", {field.since}, {field.tag or 0}, &{type}, {place}}}')
        if record.kind != "message":
            self.text += f"_Static_assert(sizeof({c_type}) == {s.record_layout(record)[0]}, \"layout\");\n"
        is_union = record.kind == "union"
        body = f"offsetof({c_type}, body)" if is_union else "0"
        self.text += f"static const ex_field {self.name(record)}_fields[] = {{{', '.join(fields)}}};\n"
        self.text += (f"static const ex_record {self.name(record)} = {{{int(is_union)}, {int(record.strict)}, "
                      f"sizeof({c_type}), {body}, {self.name(record)}_fields, {len(fields)}}};\n")

    def type(self, type):
        head = type[0]
        size, _ = s.type_layout(type)
        capacity, items, element, record, strict, values = 0, 0, "0", "0", 0, []
        if head in ("struct", "union"):
            self.record(type[1])
            kind, record = "RECORD", "&" + self.name(type[1])
        elif head in ("enum", "flags"):
            kind, strict, values = head.upper(), int(type[1].strict), [item.value for item in type[1].items]
        elif head in ("string", "bytes"):
            kind, capacity, items = head.upper(), type[1], 2
        elif head in ("vector", "array"):
            kind, capacity = head.upper(), type[2]
            element = "&" + self.type(type[1])
            items = s.up(2, s.type_layout(type[1])[1]) if head == "vector" else 0
        else:
            kind = "BOOL" if head == "bool" else "BITS"
        self.count += 1
        name = f"{self.prefix}_type{self.count}"
        if values:
            self.text += f"static const int64_t {name}_values[] = {{{', '.join(map(str, values))}}};\n"
        self.text += (f"static const ex_type {name} = {{EX_{kind}, {size}, {capacity}, {items}, {element}, {record}, "
                      f"{strict}, {name + '_values' if values else '0'}, {len(values)}}};\n")
        return name


def run_chain(options, number, root):
    folder = os.path.join(root, f"chain{number}")
    os.makedirs(folder)
    chain = Chain(options, number, folder)
    chain.evolve()
    if not options.keep and not chain.complaints:
        shutil.rmtree(folder)
    return chain


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shmc", required=True)
    parser.add_argument("--cc", help="without it no messages are exchanged")
    parser.add_argument("--library", nargs="*", default=[])
    parser.add_argument("--include", nargs="*", default=[])
    parser.add_argument("--cflags", default="")
    parser.add_argument("--keep", help="a folder for the schemas, which stay")
    for name, default in (("seed", 1), ("chains", 8), ("steps", 7), ("breaks", 4), ("rounds", 20), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args(sys.argv[1:] + shlex.split(os.environ.get("SHMRPC_EVOLUTION", "")))


def main():
    options = parse_options()
    root = options.keep or tempfile.mkdtemp(prefix="shmrpc-evolution-")
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            chains = list(pool.map(lambda number: run_chain(options, number, root), range(options.chains)))
    finally:
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    kinds = {}
    for chain in chains:
        for complaint in chain.complaints:
            print(complaint)
        for name, count in chain.kinds.items():
            kinds[name] = kinds.get(name, 0) + count
    print(f"{sum(chain.refused for chain in chains)} steps led to no schema, and were not taken")
    print("steps: " + ", ".join(f"{name} {kinds[name]}" for name in sorted(kinds)))
    failed = sum(len(chain.complaints) for chain in chains)
    judged = sum(kinds.values())
    exchanged = sum(chain.pairs for chain in chains)
    messages = sum(chain.messages for chain in chains)
    print(f"seed {options.seed}: {judged} pairs judged, {exchanged} pairs exchanged {messages} messages, "
          f"{failed} disagreements")
    print(f"{sum(chain.passed for chain in chains)} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
