/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_rules.h - every kind of breaking change: X(id, class, name, title).
 *
 * Included with X defined, hence no include guard. Names are written down in the scripts of users (--allow), so that
 * one is never given a second meaning. docs/versions.md has a row for each. A change that is of several classes has
 * the first of wire, source, behaviour.
 */

/* wire: processes of the old and of the new schema cannot talk, or misread each other */
X(PACKAGE_NAME, WIRE, "package-name", "services are found by the name of their package")
X(DECLARATION_KIND, WIRE, "declaration-kind", "a declaration is of another kind")
X(DECLARATION_SINCE, WIRE, "declaration-since", "a declaration belongs to another version")
X(BASE_TYPE, WIRE, "base-type", "an enum or flags has another base type")
X(BECAME_STRICT, WIRE, "became-strict", "a type refuses values that it let pass")
X(STRICT_GAINED, WIRE, "strict-gained", "a strict type has a value that old processes refuse")
X(STRICT_LOST, WIRE, "strict-lost", "a strict type refuses a value that old processes send")
X(FIELD_REMOVED, WIRE, "field-removed", "a field or arm is gone")
X(FIELD_ADDED, WIRE, "field-added", "a field or arm was added to a version that is out")
X(FIELD_RENAMED, WIRE, "field-renamed", "a field or arm has another name")
X(FIELD_MOVED, WIRE, "field-moved", "a field has another place")
X(FIELD_TYPE, WIRE, "field-type", "a field or arm has another type")
X(FIELD_CAPACITY, WIRE, "field-capacity", "a field or arm holds more or less than before")
X(FIELD_OPTIONAL, WIRE, "field-optional", "a field became optional, or no longer is")
X(FIELD_SINCE, WIRE, "field-since", "a field or arm belongs to another version")
X(ARM_TAG, WIRE, "arm-tag", "an arm has another tag")
X(TYPE_SIZE, WIRE, "type-size", "a type has another @size or @align")
X(LAYOUT, WIRE, "layout", "the bytes of a version that is out differ")
X(ERROR_REMOVED, WIRE, "error-removed", "an error is gone")
X(ERROR_UNVERSIONED, WIRE, "error-unversioned", "an error was added to a version that is out")
X(ERROR_CODE, WIRE, "error-code", "an error has another code")
X(ERROR_SINCE, WIRE, "error-since", "an error belongs to another version")
X(ERROR_PAYLOAD, WIRE, "error-payload", "an error has another payload")
X(SERVICE_REMOVED, WIRE, "service-removed", "a service, topic or queue is gone")
X(SERVICE_STRICT, WIRE, "service-strict", "a service refuses clients that it served")
X(METHOD_REMOVED, WIRE, "method-removed", "a method is gone")
X(METHOD_SINCE, WIRE, "method-since", "a method belongs to another version")
X(METHOD_KIND, WIRE, "method-kind", "a method is of another kind")
X(METHOD_STREAM, WIRE, "method-stream", "a stream became a single message, or the reverse")
X(METHOD_PAYLOAD, WIRE, "method-payload", "a method has another request or reply")
X(METHOD_ERRORS, WIRE, "method-errors", "a method throws another set of errors")
X(CHANNEL_ITEM, WIRE, "channel-item", "a topic or queue has another item")

/* source: code that was written for the old header no longer compiles */
X(C_NAME, SOURCE, "c-name", "something has another name in C")
X(DECLARATION_REMOVED, SOURCE, "declaration-removed", "a constant, alias or type is gone")
X(MEMBER_REMOVED, SOURCE, "member-removed", "a member of an enum or of flags is gone")
X(CONSTANT_TYPE, SOURCE, "constant-type", "a constant has another type")
X(ALIAS_TYPE, SOURCE, "alias-type", "an alias stands for another type")
X(FIELD_C_TYPE, SOURCE, "field-c-type", "a field or arm has another type in C, of the same bytes")
X(ERRORS_C_TYPE, SOURCE, "errors-c-type", "a method throws another set in C, of the same codes")
X(PAYLOAD_C_TYPE, SOURCE, "payload-c-type", "a method has another message in C, of the same bytes")

/* behaviour: the same bytes mean something else */
X(VERSION_LOWERED, BEHAVIOUR, "version-lowered", "the version of the package went back")
X(CONSTANT_VALUE, BEHAVIOUR, "constant-value", "a constant has another value")
X(MEMBER_VALUE, BEHAVIOUR, "member-value", "a member of an enum or of flags has another value")
X(NO_LONGER_STRICT, BEHAVIOUR, "no-longer-strict", "a type or service lets pass what it refused")
X(RESERVED_USED, BEHAVIOUR, "reserved-used", "what was reserved is used again")
X(FIELD_MEANING, BEHAVIOUR, "field-meaning", "a field is of another enum or flags, of the same bytes")
X(FIELD_DEFAULT, BEHAVIOUR, "field-default", "a field has another default")
X(ERROR_ADDED, BEHAVIOUR, "error-added", "callers may be given an error that they do not know")
X(ERROR_MEANING, BEHAVIOUR, "error-meaning", "a method throws another error by the same code")
X(DEADLINE, BEHAVIOUR, "deadline", "a method has another deadline")
X(IDEMPOTENT, BEHAVIOUR, "idempotent-removed", "a method is no longer called again where that is safe")
X(DEPTH, BEHAVIOUR, "depth", "fewer calls or messages may be in flight")
X(CHANNEL_POLICY, BEHAVIOUR, "channel-policy", "a topic or queue treats messages in another way")
