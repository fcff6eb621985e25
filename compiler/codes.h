/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codes.h - every diagnostic: X(code, severity, title).
 *
 * Included with X defined, hence no include guard. Codes are written down in
 * build logs and suppressions, so that one is never given a second meaning and
 * never renumbered. docs/diagnostics.md has a section for each.
 */

/* 0xx: the command line */
X(E001, ERROR, "file cannot be read")
X(E002, ERROR, "no such version")

/* 1xx: syntax */
X(E101, ERROR, "wrong separator")
X(E102, ERROR, "missing ';'")
X(E103, ERROR, "unterminated string")
X(E104, ERROR, "bad escape")
X(E105, ERROR, "bad number")
X(W106, WARNING, "doc comment before nothing")
X(E107, ERROR, "package declaration missing, late or repeated")
X(E108, ERROR, "unclosed brace")
X(E109, ERROR, "not UTF-8")
X(E110, ERROR, "unexpected token")
X(E111, ERROR, "unexpected character")
X(E112, ERROR, "unterminated comment")
X(E113, ERROR, "reserved word as a name")
X(E114, ERROR, "nested too deeply")

/* 2xx: names */
X(E201, ERROR, "defined twice")
X(E202, ERROR, "two names become one")
X(E203, ERROR, "name is a keyword or a macro of the target")
X(E204, ERROR, "generated names collide")
X(E205, ERROR, "unknown name")
X(E206, ERROR, "name of the wrong kind")
X(E207, ERROR, "import cycle")
X(E208, ERROR, "import not found")
X(W209, WARNING, "unused import")
X(E210, ERROR, "name with a doubled or final underscore")
X(E211, ERROR, "two packages with one prefix")

/* 3xx: values and types */
X(E301, ERROR, "value does not fit")
X(E302, ERROR, "arithmetic fault in a constant")
X(E303, ERROR, "constant cycle")
X(E304, ERROR, "type contains itself")
X(E305, ERROR, "number after a field")
X(E306, ERROR, "message inside a type")
X(E307, ERROR, "bad capacity")
X(E308, ERROR, "enum without 0")
X(E309, ERROR, "value used twice")
X(E310, ERROR, "flag is not one bit")
X(E311, ERROR, "bad base type")
X(E312, ERROR, "bad @size")
X(E313, ERROR, "bad @align")
X(E314, ERROR, "message too large")
X(E315, ERROR, "optional where none may be")
X(E316, ERROR, "bad tag")
X(E317, ERROR, "nothing in it")
X(E318, ERROR, "@default mismatch")
X(W319, WARNING, "padding that a reorder would save")
X(W320, WARNING, "large variable field is not last")
X(E321, ERROR, "type too large")

/* 4xx: versions */
X(E401, ERROR, "@since beyond the package's version")
X(E402, ERROR, "@since decreases")
X(E403, ERROR, "@since where nothing can be added")
X(E404, ERROR, "uses something newer")
X(E405, ERROR, "reserved number or name used")
X(E406, ERROR, "bad reservation")
X(E407, ERROR, "a locked version changed")
X(E408, ERROR, "something locked is gone")
X(E409, ERROR, "a locked capacity changed")
X(E410, ERROR, "a locked method changed")
X(E411, ERROR, "a strict type gained a value")
X(E413, ERROR, "lock cannot be read")
X(E414, ERROR, "what came later cannot be unset")
X(W412, WARNING, "deprecated name used")

/* 5xx: services */
X(E501, ERROR, "number after a method")
X(E503, ERROR, "composed names collide")
X(E504, ERROR, "throws needs errors")
X(E505, ERROR, "error value out of range")
X(E506, ERROR, "oneway or event with a reply, a stream or errors")
X(E507, ERROR, "payload is not a message")
X(W508, WARNING, "no deadline")
X(E509, ERROR, "@idempotent where it means nothing")
X(E510, ERROR, "composed twice, or of itself")
X(E511, ERROR, "too many methods")

/* 6xx: annotations */
X(E601, ERROR, "unknown annotation")
X(E602, ERROR, "annotation does not belong here")
X(E603, ERROR, "annotation given twice")
X(E604, ERROR, "bad annotation argument")
X(E605, ERROR, "depth is not a power of two")
X(E606, ERROR, "unknown policy")

/* 7xx: limits of this release. E701 was for what all of it lacked. */
X(E702, ERROR, "not in this product yet")
