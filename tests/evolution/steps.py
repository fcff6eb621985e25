# SPDX-License-Identifier: Apache-2.0
#
# steps.py - random schemas, and single changes of which it is known what they break.
#
# A step takes a schema, which it may change, and a random source. It returns the set of rules of `shmc breaking` that
# the change is to be found by, or None where the schema has nothing that it could change.
import schema as s


def name_type(random, schema, since, depth=2):
    """Any type that may be a part of something that came with `since`."""
    named = [decl for decl in schema.of("enum", "flags", "struct", "union") if decl.since <= since]
    pick = random.randrange(10)
    if pick < 3 and named:
        decl = random.choice(named)
        return (decl.kind, decl)
    if pick == 4:
        return ("string", random.randint(1, 20))
    if pick == 5:
        return ("bytes", random.randint(1, 20))
    if pick == 6 and depth:
        return ("vector", name_type(random, schema, since, depth - 1), random.randint(1, 4))
    if pick == 7 and depth:
        element = name_type(random, schema, since, depth - 1)
        return ("array", element, random.randint(1, 3)) if element[0] != "array" else element
    return (random.choice(list(s.SCALARS)),)


def default_of(random, type):
    head = type[0]
    if head == "bool":
        return random.choice(("true", "false"))
    if head in s.FLOATS:
        return random.choice(("0.5", "-2.25", "0.0"))
    if head in s.SCALARS:
        return random.randint(0, 100)
    if head == "enum":
        return random.choice(type[1].items).name
    if head == "string":
        return '"' + "x" * random.randint(0, type[1]) + '"'
    return None


def new_field(random, schema, record, since):
    type = name_type(random, schema, since)
    field = s.Field(schema.fresh("f"), type, since)
    if record.kind == "union":
        field.tag = max([0] + [arm.tag for arm in record.fields]) + random.randint(1, 3)
        return field
    late_strict = since > 1 and s.holds_strict_union(type)
    field.optional = late_strict or random.random() < 0.25
    if record.kind == "message" and not field.optional and random.random() < 0.7:
        field.default = default_of(random, type)
    return field


def new_record(random, schema, kind, since=1):
    record = s.Record(kind, schema.fresh("R"), since)
    for _ in range(random.randint(1, 5)):
        record.fields.append(new_field(random, schema, record, since))
    if kind != "message" and random.random() < 0.6:
        record.size = s.up(s.record_layout(record)[0] + 8 * random.randint(3, 20), 8)
    record.strict = kind == "union" and random.random() < 0.25
    schema.decls.append(record)
    return record


def new_members(random, schema, kind, since=1):
    bases = ("uint8", "uint16", "uint32", "uint64", "int8", "int32") if kind == "enum" else ("uint8", "uint32")
    base = random.choice(bases)
    members = s.Members(kind, schema.fresh("E"), base, random.random() < 0.3, since)
    for i in range(random.randint(1, 4)):
        members.items.append(s.Member(schema.fresh("M"), i if kind == "enum" else 1 << i, since))
    schema.decls.append(members)
    return members


def new_method(random, schema, message, since=1):
    kind = random.choice(("rpc", "rpc", "rpc", "oneway", "event"))
    method = s.Method(schema.fresh("m"), kind, message, since=since)
    if kind == "rpc":
        method.reply = random.choice((None, message, random.choice(schema.of("message"))))
        if method.reply and method.reply.since > since:
            method.reply = message
        method.throws = random.random() < 0.5
        method.stream = bool(method.reply) and random.random() < 0.15
        method.deadline = random.choice((None, "5s", "20ms"))
        method.idempotent = not method.stream and random.random() < 0.3
    schema.methods.append(method)
    return method


def new_schema(random):
    schema = s.Schema()
    for kind in ("enum", "flags", "enum"):
        new_members(random, schema, kind)
    for kind in ("struct", "union", "struct", "struct", "union"):
        new_record(random, schema, kind)
    errors = s.Members("errors", "Error")
    for code in range(1, random.randint(2, 4)):
        payload = random.choice([None] + schema.of("struct"))
        errors.items.append(s.Member(schema.fresh("X"), code, 1, payload))
    schema.decls.append(errors)
    schema.errors = errors
    for _ in range(random.randint(2, 4)):
        new_method(random, schema, new_record(random, schema, "message"))
    schema.methods[0].kind, schema.methods[0].throws = "rpc", True
    schema.methods[0].stream = False
    if random.random() < 0.5:
        schema.channel = random.choice(schema.of("message"))
    return schema


def pick(random, things):
    return random.choice(things) if things else None


# ---- what breaks nothing on the wire -------------------------------------------------------------------------------

def newer(schema):
    schema.version += 1
    return schema.version


def add_field(random, schema):
    message = pick(random, schema.of("message"))
    if random.random() < 0.5:
        # One that would fit into the padding behind the last field, and is not zero where it does not come.
        type = (random.choice(("uint8", "int16", "uint32")),)
        message.fields.append(s.Field(schema.fresh("f"), type, newer(schema), default=random.randint(1, 100)))
    else:
        message.fields.append(new_field(random, schema, message, newer(schema)))
    return set()


def grow(random, schema):
    grown = [record for record in schema.of("struct", "union") if record.size and not record.strict]
    record = pick(random, grown)
    if not record:
        return None
    since = newer(schema)
    for _ in range(20):
        field = new_field(random, schema, record, since)
        # Neither may a type hold itself, nor be declared in a circle.
        if s.type_layout(field.type)[0] + 16 <= s.room_left(record) and not reaches(field.type, record) and \
                not s.holds_strict_union(field.type):
            record.fields.append(field)
            return set()
    return None


def reaches(type, record):
    if type[0] in ("struct", "union"):
        return type[1] is record or any(reaches(field.type, record) for field in type[1].fields)
    return type[0] in ("vector", "array") and reaches(type[1], record)


def add_method(random, schema):
    since = newer(schema)
    message = pick(random, schema.of("message"))
    if random.random() < 0.5:
        message = new_record(random, schema, "message", since)
    new_method(random, schema, message, since)
    return set()


def add_error(random, schema):
    since = newer(schema)
    code = max([0] + [item.value for item in schema.errors.items]) + 1
    payload = random.choice([None] + schema.of("struct"))
    schema.errors.items.append(s.Member(schema.fresh("X"), code, since, payload))
    return {"error-added"}


def add_member(random, schema):
    members = pick(random, [members for members in schema.of("enum", "flags") if not members.strict])
    if not members:
        return None
    value = max(item.value for item in members.items)
    value = value + 1 if members.kind == "enum" else value << 1
    if value > 100:
        return None
    members.items.append(s.Member(schema.fresh("M"), value, random.choice((1, newer(schema)))))
    return set()


def add_declaration(random, schema):
    since = newer(schema)
    if random.random() < 0.5:
        new_members(random, schema, "enum", since)
    else:
        new_record(random, schema, random.choice(("struct", "union")), since)
    return set()


def rename_field(random, schema):
    record = pick(random, schema.of("struct", "union", "message"))
    pick(random, record.fields).rename(schema.fresh("g"))
    return {"c-name"}


def rename_type(random, schema):
    pick(random, schema.of("struct", "union", "message", "enum", "flags")).rename(schema.fresh("T"))
    return {"c-name"}


def rename_member(random, schema):
    members = pick(random, schema.of("enum", "flags", "errors"))
    if not members.items:
        return None
    item = pick(random, members.items)
    if any(field.default == item.name for record in schema.of("message") for field in record.fields):
        return None
    item.rename(schema.fresh("N"))
    return {"c-name"}


def rename_method(random, schema):
    pick(random, schema.methods).rename(schema.fresh("n"))
    return {"c-name"}


def reorder_declarations(random, schema):
    random.shuffle(schema.decls)
    random.shuffle(schema.methods)
    return set()


def reorder_members(random, schema):
    """Of arms, those that came later stay behind the others."""
    for members in schema.of("enum", "flags", "errors"):
        random.shuffle(members.items)
    for union in schema.of("union"):
        random.shuffle(union.fields)
        union.fields.sort(key=lambda arm: arm.since)
    return set()


def throw_another_set(random, schema):
    method = pick(random, [method for method in schema.methods if method.throws])
    if not method:
        return None
    errors = s.Members("errors", schema.fresh("Errors"))
    for item in schema.errors_of(method).items:
        errors.items.append(s.Member(item.identity, item.value, item.since, item.payload))
    schema.decls.append(errors)
    method.throws = errors
    return {"errors-c-type"}


def change_default(random, schema):
    fields = [field for record in schema.of("message") for field in record.fields if not field.optional]
    field = pick(random, [field for field in fields if field.type[0] in ("int32", "uint32", "uint64")])
    if not field:
        return None
    field.default = (field.default or 0) + 1
    return {"field-default"}


def change_deadline(random, schema):
    method = pick(random, [method for method in schema.methods if method.kind == "rpc"])
    method.deadline = "7s" if method.deadline != "7s" else "8s"
    return {"deadline"}


def drop_idempotent(random, schema):
    method = pick(random, [method for method in schema.methods if method.idempotent])
    if not method:
        return None
    method.idempotent = False
    return {"idempotent-removed"}


COMPATIBLE = (add_field, add_field, add_field, grow, grow, add_method, add_error, add_member, add_declaration,
              rename_field, rename_field, rename_type, rename_member, rename_method, reorder_declarations,
              reorder_members, throw_another_set, change_default, change_deadline, drop_idempotent)


# ---- what breaks the wire ------------------------------------------------------------------------------------------

def record_with(random, schema, kinds, least=1):
    return pick(random, [record for record in schema.of(*kinds) if len(record.fields) >= least])


def swap_fields(random, schema):
    record = record_with(random, schema, ("struct", "message"), 2)
    if not record:
        return None
    pairs = [i for i in range(len(record.fields) - 1) if record.fields[i].since == record.fields[i + 1].since]
    if not pairs:
        return None
    i = random.choice(pairs)
    record.fields[i], record.fields[i + 1] = record.fields[i + 1], record.fields[i]
    return {"field-moved"}


def change_type(random, schema):
    record = record_with(random, schema, ("struct", "union", "message"))
    field = pick(random, [field for field in record.fields if field.type[0] in s.SCALARS])
    if not field:
        return None
    field.type = (random.choice([scalar for scalar in s.SCALARS if scalar != field.type[0]]),)
    field.default = None
    return {"field-type"}


def change_capacity(random, schema):
    fields = [(record, field) for record in schema.of("struct", "union", "message") for field in record.fields
              if field.type[0] in ("string", "bytes", "vector", "array")]
    chosen = pick(random, fields)
    if not chosen:
        return None
    record, field = chosen
    if field.type[-1] < 2:
        return None
    field.type = field.type[:-1] + (field.type[-1] - 1,)
    field.default = None
    return {"field-capacity"}


def remove_field(random, schema):
    record = record_with(random, schema, ("struct", "union", "message"), 2)
    if not record:
        return None
    record.fields.remove(pick(random, record.fields))
    return {"field-removed"}


def insert_field(random, schema):
    """In the middle, or at the end without @since; either way in a version that is out."""
    record = record_with(random, schema, ("struct", "message"))
    at = random.randint(0, len(record.fields))
    since = record.fields[max(at - 1, 0)].since
    # In front of the others its bytes are theirs; the last one is of the last version, which is out, too.
    record.fields.insert(at, s.Field(schema.fresh("f"), ("uint8",), since))
    if record.size:
        record.size += 8
        return {"field-added", "type-size"}
    return {"field-added"}


def rename_silently(random, schema):
    record = record_with(random, schema, ("struct", "union", "message"))
    field = pick(random, record.fields)
    field.name, field.original = schema.fresh("h"), None
    return {"field-renamed"}


def toggle_optional(random, schema):
    record = record_with(random, schema, ("struct", "message"))
    field = pick(random, [field for field in record.fields if not s.holds_strict_union(field.type)])
    if not field or record.size:
        return None
    field.optional, field.default = not field.optional, None
    return {"field-optional"}


def raise_since(random, schema):
    message = pick(random, schema.of("message"))
    field = message.fields[-1]
    if len(message.fields) < 2 or s.holds_strict_union(field.type):
        return None
    field.since = newer(schema)
    return {"field-since"}


def move_method_since(random, schema):
    method = pick(random, schema.methods)
    method.since = newer(schema) if method.since == 1 or random.random() < 0.5 else method.since - 1
    return {"method-since"}


def move_error_since(random, schema):
    error = pick(random, schema.errors.items)
    error.since = newer(schema) if error.since == 1 or random.random() < 0.5 else error.since - 1
    return {"error-since"}


def strict_gains(random, schema):
    members = pick(random, [members for members in schema.of("enum", "flags") if members.strict])
    if not members:
        return None
    value = max(item.value for item in members.items)
    members.items.append(s.Member(schema.fresh("M"), value + 1 if members.kind == "enum" else value << 1))
    return {"strict-gained"}


def strict_loses(random, schema):
    strict = [members for members in schema.of("enum", "flags") if members.strict]
    members = pick(random, [members for members in strict if len(members.items) > 1])
    if not members:
        return None
    gone = members.items.pop()
    for record in schema.of("message"):
        for field in record.fields:
            if field.default == gone.name:
                field.default = None
    return {"strict-lost"}


def become_strict(random, schema):
    members = pick(random, [members for members in schema.of("enum", "flags") if not members.strict])
    if not members:
        return None
    members.strict = True
    return {"became-strict"}


def retype_strictly(random, schema):
    """A field gets another enum or flags of the same bytes, which takes less than the one before, or other values."""
    fields = [field for record in schema.of("struct", "union", "message") for field in record.fields
              if field.type[0] in ("enum", "flags")]
    field = pick(random, fields)
    if not field:
        return None
    old = field.type[1]
    new = s.Members(old.kind, schema.fresh("E"), old.base, True, old.since)
    new.items = [s.Member(schema.fresh("M"), item.value, item.since) for item in old.items]
    rule = "became-strict"
    if old.strict:
        rule = random.choice(("strict-lost", "strict-gained"))
        if rule == "strict-lost":
            new.items.pop()
        else:
            value = max(item.value for item in old.items)
            new.items.append(s.Member(schema.fresh("M"), value + 1 if old.kind == "enum" else value << 1))
            new.strict = random.random() < 0.5
    schema.decls.append(new)
    field.type, field.default = (old.kind, new), None
    return {rule}


def change_base(random, schema):
    members = pick(random, schema.of("enum"))
    members.base = "uint16" if members.base != "uint16" else "uint32"
    return {"base-type"}


def change_tag(random, schema):
    union = pick(random, schema.of("union"))
    pick(random, union.fields).tag = 77
    return {"arm-tag"}


def change_size(random, schema):
    record = pick(random, [record for record in schema.of("struct", "union") if record.size])
    if not record:
        return None
    record.size += 8
    return {"type-size"}


def remove_error(random, schema):
    if len(schema.errors.items) < 2:
        return None
    schema.errors.items.remove(pick(random, schema.errors.items))
    return {"error-removed"}


def recode_error(random, schema):
    pick(random, schema.errors.items).value = 99
    return {"error-code"}


def add_error_late(random, schema):
    schema.errors.items.append(s.Member(schema.fresh("X"), 98))
    return {"error-unversioned"}


def change_payload(random, schema):
    error = pick(random, schema.errors.items)
    error.payload = None if error.payload else schema.of("struct")[0]
    if error.payload and error.payload.since > error.since:
        return None
    return {"error-payload"}


def remove_method(random, schema):
    schema.methods.remove(pick(random, schema.methods))
    return {"method-removed"}


def rename_method_silently(random, schema):
    method = pick(random, schema.methods)
    method.name, method.original = schema.fresh("k"), None
    return {"method-removed"}


def change_kind(random, schema):
    method = pick(random, [method for method in schema.methods if method.kind == "oneway"])
    if not method:
        return None
    method.kind = "rpc"
    return {"method-kind"}


def change_stream(random, schema):
    method = pick(random, [method for method in schema.methods if method.kind == "rpc" and method.reply])
    if not method:
        return None
    method.stream, method.idempotent = not method.stream, False
    return {"method-stream"}


def change_throws(random, schema):
    method = pick(random, [method for method in schema.methods if method.kind == "rpc"])
    method.throws = not method.throws
    return {"method-errors"}


def change_request(random, schema):
    method = pick(random, [method for method in schema.methods if method.request])
    if not method:
        return None
    method.request = None
    return {"method-payload"}


def rename_service(random, schema):
    schema.service = "Other"
    return {"service-removed"}


BREAKING = (swap_fields, change_type, change_capacity, remove_field, insert_field, rename_silently, toggle_optional,
            raise_since, move_method_since, move_error_since, strict_gains, strict_loses, become_strict, retype_strictly, change_base, change_tag, change_size, remove_error,
            recode_error, add_error_late, change_payload, remove_method, rename_method_silently, change_kind,
            change_stream, change_throws, change_request, rename_service)
