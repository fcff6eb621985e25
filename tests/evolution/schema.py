# SPDX-License-Identifier: Apache-2.0
#
# schema.py - random schemas in memory: what they hold, how they are written, how large they are.
#
# Types are tuples: ("uint8",), ("enum", Members), ("struct", Record), ("string", 8), ("vector", type, 4),
# ("array", type, 3).
SCALARS = {
    "bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
    "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "float32": 4, "float64": 8,
}
FLOATS = ("float32", "float64")


def up(value, align):
    return (value + align - 1) // align * align


class Named:
    """What has a name, perhaps had another one, and came with a version."""

    def __init__(self, name, since=1):
        self.name, self.original, self.since = name, None, since

    @property
    def identity(self):
        return self.original or self.name

    def rename(self, name):
        self.original, self.name = self.identity, name

    def notes(self):
        since = f"@since({self.since}) " if self.since > 1 else ""
        return since + (f'@renamed_from("{self.original}") ' if self.original else "")


class Field(Named):
    def __init__(self, name, type, since=1, optional=False, default=None, tag=None):
        super().__init__(name, since)
        self.type, self.optional, self.default, self.tag = type, optional, default, tag


class Record(Named):
    def __init__(self, kind, name, since=1, size=None, strict=False):
        super().__init__(name, since)
        self.kind, self.size, self.strict, self.fields = kind, size, strict, []


class Member(Named):
    def __init__(self, name, value, since=1, payload=None):
        super().__init__(name, since)
        self.value, self.payload = value, payload


class Members(Named):
    def __init__(self, kind, name, base="uint32", strict=False, since=1):
        super().__init__(name, since)
        self.kind, self.base, self.strict, self.items = kind, base, strict, []


class Method(Named):
    def __init__(self, name, kind, request, reply=None, throws=False, since=1):
        super().__init__(name, since)
        self.kind, self.request, self.reply, self.throws = kind, request, reply, throws
        self.deadline, self.idempotent, self.stream = None, False, False  # throws: the set, or True for the schema's


class Schema:
    def __init__(self):
        self.version, self.decls, self.methods, self.count = 1, [], [], 0
        self.service, self.errors, self.strict_service = "Service", None, False
        self.channel = None

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def errors_of(self, method):
        return self.errors if method.throws is True else method.throws

    def of(self, *kinds):
        return [decl for decl in self.decls if decl.kind in kinds]


def type_text(type):
    head = type[0]
    if head in ("enum", "flags", "struct", "union"):
        return type[1].name
    if head in ("string", "bytes"):
        return f"{head}<{type[1]}>"
    if head == "vector":
        return f"vector<{type_text(type[1])}, {type[2]}>"
    if head == "array":
        return f"{type_text(type[1])}[{type[2]}]"
    return head


def type_layout(type):
    """Size and alignment."""
    head = type[0]
    if head in SCALARS:
        return SCALARS[head], SCALARS[head]
    if head in ("enum", "flags"):
        return SCALARS[type[1].base], SCALARS[type[1].base]
    if head in ("struct", "union"):
        return record_layout(type[1])
    if head == "string":
        return up(2 + type[1] + 1, 2), 2
    if head == "bytes":
        return up(2 + type[1], 2), 2
    size, align = type_layout(type[1])
    if head == "array":
        return size * type[2], align
    return up(up(2, align) + size * type[2], max(2, align)), max(2, align)


def record_layout(record):
    if record.size:
        return record.size, 8
    if record.kind == "union":
        layouts = [type_layout(field.type) for field in record.fields]
        align = max([4] + [align for _, align in layouts])
        return up(up(4, align) + up(max(size for size, _ in layouts), align), align), align
    end, most = 0, 1
    for field in record.fields:
        size, align = type_layout(field.type)
        end, most = up(end + field.optional, align) + size, max(most, align)
    return up(end, most), most


def room_left(record):
    """At least so many bytes are left of the @size."""
    sizes = [type_layout(field.type)[0] for field in record.fields]
    return record.size - 8 - (max(sizes, default=0) if record.kind == "union" else sum(size + 16 for size in sizes))


def holds_strict_union(type):
    if type[0] == "union" and type[1].strict:
        return True
    if type[0] in ("struct", "union"):
        return any(holds_strict_union(field.type) for field in type[1].fields)
    return type[0] in ("vector", "array") and holds_strict_union(type[1])


def field_text(field):
    default = f"@default({field.default}) " if field.default is not None else ""
    tag = f" = {field.tag}" if field.tag else ""
    return f"{field.notes()}{default}{type_text(field.type)}{'?' if field.optional else ''} {field.name}{tag};"


def member_text(item):
    return f"{item.notes()}{item.name}{f'({item.payload.name})' if item.payload else ''} = {item.value};"


def decl_text(decl):
    strict = "strict " if getattr(decl, "strict", False) else ""
    if isinstance(decl, Record):
        size = f"@size({decl.size}) " if decl.size else ""
        body = " ".join(field_text(field) for field in decl.fields)
        return f"{decl.notes()}{size}{strict}{decl.kind} {decl.name} {{ {body} }}\n"
    base = f" : {decl.base}" if decl.kind != "errors" else ""
    body = " ".join(member_text(item) for item in decl.items)
    return f"{decl.notes()}{strict}{decl.kind} {decl.name}{base} {{ {body} }}\n"


def method_text(method, errors):
    notes = method.notes() + (f"@deadline({method.deadline}) " if method.deadline else "")
    notes += "@idempotent " if method.idempotent else ""
    text = f"    {notes}{method.kind} {method.name}({method.request.name if method.request else ''})"
    if method.kind == "rpc":
        text += f" -> ({'stream ' if method.stream else ''}{method.reply.name if method.reply else ''})"
    return text + (f" throws {errors.name}" if errors else "") + ";\n"


def schema_text(schema, prefix=None):
    """As a file. With a prefix: for C, which has no streams, events and topics."""
    text = f"@version({schema.version})" + (f' @c_prefix("{prefix}")' if prefix else "") + "\npackage evolution;\n"
    text += "".join(decl_text(decl) for decl in schema.decls)
    text += f"{'strict ' if schema.strict_service else ''}service {schema.service} {{\n"
    for method in schema.methods:
        if not prefix or is_in_c(method):
            text += method_text(method, schema.errors_of(method))
    text += "}\n"
    if schema.channel and not prefix:
        text += f"topic ticks({schema.channel.name});\n"
    return text


def is_in_c(method):
    return method.kind != "event" and not method.stream
