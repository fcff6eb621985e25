/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - one table of options; each row says which verbs know it.
 *
 * `--name value` and `--name=value` are the same, as are `-I DIR` and `-IDIR`. Options and files may be mixed;
 * after `--` all are files.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/text.h"
#include "support/vector.h"

#define MAX_MESSAGE_LEAST 64
#define MAX_MESSAGE_MOST (UINT32_C(1) << 30)

typedef struct parse {
    arena *memory;
    options *made;
    vector files;        /* const char * */
    vector include_dirs; /* const char * */
    vector against_dirs; /* const char * */
    vector emits;        /* const backend * */
    const char *complaint;
} parse;

static bool emit_set(parse *p, const char *value)
{
    const char *at = value;

    for (;;) {
        size_t length = strcspn(at, ",");
        const char *name = arena_copy(p->memory, at, length);
        const backend *found = backend_find(name);
        if (!found) {
            text_guess guess = {.wanted = name};
            for (const backend *const *each = backends; *each; each++)
                text_guess_offer(&guess, (*each)->name);
            p->complaint =
                guess.nearest
                    ? arena_printf(p->memory, "--emit knows no '%s', did you mean '%s'?", name, guess.nearest)
                    : arena_printf(p->memory, "--emit knows no '%s'; 'shmc --help' lists what there is", name);
            return false;
        }
        bool known = false;
        for (uint32_t i = 0; i < p->emits.count; i++)
            known = known || *VECTOR_AT(&p->emits, const backend *, i) == found;
        if (!known)
            vector_add_pointer(&p->emits, p->memory, found);
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

static bool out_set(parse *p, const char *value)
{
    p->made->out_dir = value;
    return true;
}

static bool include_set(parse *p, const char *value)
{
    vector_add_pointer(&p->include_dirs, p->memory, value);
    return true;
}

static bool depfile_set(parse *p, const char *value)
{
    p->made->depfile = value;
    return true;
}

static bool max_message_set(parse *p, const char *value)
{
    char *end;

    errno = 0;
    unsigned long long bytes = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno == ERANGE) {
        p->complaint = arena_printf(p->memory, "--max-message wants a number of bytes, not '%s'", value);
        return false;
    }
    if (bytes < MAX_MESSAGE_LEAST || bytes > MAX_MESSAGE_MOST) {
        p->complaint = arena_printf(p->memory, "--max-message %s is not within %d and %u bytes", value,
                                    MAX_MESSAGE_LEAST, MAX_MESSAGE_MOST);
        return false;
    }
    p->made->max_message = (uint32_t)bytes;
    return true;
}

static bool against_set(parse *p, const char *value)
{
    p->made->against = value;
    return true;
}

static bool against_include_set(parse *p, const char *value)
{
    vector_add_pointer(&p->against_dirs, p->memory, value);
    return true;
}

static void offer(void *guess, const char *name)
{
    text_guess_offer(guess, name);
}

static bool allow_set(parse *p, const char *value)
{
    const char *at = value;

    for (;;) {
        size_t length = strcspn(at, ",");
        const char *name = arena_copy(p->memory, at, length);
        if (!breaking_allow(&p->made->allowed, name)) {
            text_guess guess = {.wanted = name};
            breaking_names(offer, &guess);
            p->complaint =
                guess.nearest
                    ? arena_printf(p->memory, "--allow knows no '%s', did you mean '%s'?", name, guess.nearest)
                    : arena_printf(p->memory,
                                   "--allow knows no '%s'; there are wire, source, behaviour, and single "
                                   "rules such as field-removed",
                                   name);
            return false;
        }
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

static bool at_version_set(parse *p, const char *value)
{
    char *end;

    errno = 0;
    unsigned long long version = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno == ERANGE || version == 0 || version > UINT32_MAX) {
        p->complaint = arena_printf(p->memory, "--at-version wants a version from 1 on, not '%s'", value);
        return false;
    }
    p->made->at_version = (uint32_t)version;
    return true;
}

static bool format_set(parse *p, const char *value)
{
    static const char *const names[] = {[DIAG_TEXT] = "text", [DIAG_JSON] = "json", [DIAG_GITHUB] = "github"};
    text_guess guess = {.wanted = value};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i]) == 0) {
            p->made->format = (diag_format)i;
            return true;
        }
        text_guess_offer(&guess, names[i]);
    }
    p->complaint = arena_printf(p->memory, "--format is 'text', 'json' or 'github', not '%s'%s", value,
                                guess.nearest ? arena_printf(p->memory, ", did you mean '%s'?", guess.nearest) : "");
    return false;
}

static bool only_check_set(parse *p, const char *value)
{
    (void)value;
    p->made->only_check = true;
    return true;
}

typedef struct option {
    const char *name;
    unsigned verbs; /* bits: 1 << options_verb */
    bool once;
    bool (*set)(parse *p, const char *value);
} option;

#define FOR_GENERATE (1U << VERB_GENERATE)
#define FOR_CHECK (1U << VERB_CHECK)
#define FOR_BREAKING (1U << VERB_BREAKING)
#define FOR_FORMAT (1U << VERB_FORMAT)
#define FOR_FREEZE (1U << VERB_FREEZE)
#define FOR_LAYOUT (1U << VERB_LAYOUT)

static const option option_table[] = {
    {"--emit", FOR_GENERATE, false, emit_set},
    {"--out", FOR_GENERATE, true, out_set},
    {"-I", FOR_GENERATE | FOR_CHECK | FOR_FREEZE | FOR_BREAKING | FOR_LAYOUT, false, include_set},
    {"--depfile", FOR_GENERATE, true, depfile_set},
    {"--max-message", FOR_GENERATE | FOR_CHECK | FOR_FREEZE | FOR_BREAKING | FOR_LAYOUT, true, max_message_set},
    {"--at-version", FOR_GENERATE | FOR_CHECK | FOR_LAYOUT, true, at_version_set},
    {"--format", FOR_GENERATE | FOR_CHECK | FOR_BREAKING | FOR_LAYOUT, true, format_set},
    {"--against", FOR_BREAKING, true, against_set},
    {"--against-include", FOR_BREAKING, false, against_include_set},
    {"--allow", FOR_BREAKING, false, allow_set},
    {"--check", FOR_FORMAT, false, only_check_set},
};
#define OPTION_COUNT (sizeof option_table / sizeof option_table[0])

typedef struct verb_name {
    const char *name;
    options_verb verb;
} verb_name;

static const verb_name verb_table[] = {
    {"generate", VERB_GENERATE}, {"check", VERB_CHECK},       {"breaking", VERB_BREAKING}, {"format", VERB_FORMAT},
    {"freeze", VERB_FREEZE},     {"layout", VERB_LAYOUT},     {"--help", VERB_HELP},       {"-h", VERB_HELP},
    {"help", VERB_HELP},         {"--version", VERB_VERSION},
};

static const char *verb_spelling(options_verb verb)
{
    for (size_t i = 0; i < sizeof verb_table / sizeof verb_table[0]; i++)
        if (verb_table[i].verb == verb)
            return verb_table[i].name;
    return "";
}

static bool verb_find(parse *p, const char *word)
{
    text_guess guess = {.wanted = word};

    for (size_t i = 0; i < sizeof verb_table / sizeof verb_table[0]; i++) {
        if (strcmp(word, verb_table[i].name) == 0) {
            p->made->verb = verb_table[i].verb;
            return true;
        }
        text_guess_offer(&guess, verb_table[i].name);
    }
    size_t length = strlen(word);
    if (guess.nearest)
        p->complaint = arena_printf(p->memory, "unknown verb '%s', did you mean '%s'?", word, guess.nearest);
    else if (word[0] == '-')
        p->complaint = arena_printf(p->memory, "'%s' stands before the verb; 'shmc --help' lists the verbs", word);
    else if (length > 4 && strcmp(word + length - 4, ".shm") == 0)
        p->complaint = arena_printf(p->memory, "unknown verb '%s', did you mean 'shmc check %s'?", word, word);
    else
        p->complaint = arena_printf(p->memory, "unknown verb '%s'; 'shmc --help' lists what there is", word);
    return false;
}

/* Whether an option takes no value. */
static bool is_bare(const option *known)
{
    return known->set == only_check_set;
}

/* The option that `word` is or begins with; *ret_value: what stands in the same word, or NULL. */
static const option *option_find(const char *word, const char **ret_value)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const option *known = &option_table[i];
        size_t length = strlen(known->name);
        if (strncmp(word, known->name, length) != 0)
            continue;
        if (word[length] == '\0') {
            *ret_value = NULL;
            return known;
        }
        if (known->name[1] != '-') {
            *ret_value = word + length;
            return known;
        }
        if (word[length] == '=') {
            *ret_value = word + length + 1;
            return known;
        }
    }
    return NULL;
}

/* The verbs that know an option: "'shmc generate' or 'shmc check'". */
static const char *verbs_spelling(parse *p, const option *known)
{
    const char *text = "";

    for (options_verb verb = VERB_GENERATE; verb <= VERB_LAYOUT; verb++)
        if (known->verbs & (1U << verb))
            text = arena_printf(p->memory, "%s%s'shmc %s'", text, *text ? " or " : "", verb_spelling(verb));
    return text;
}

static void option_unknown(parse *p, const char *word)
{
    const char *name = arena_copy(p->memory, word, strcspn(word, "="));
    text_guess here = {.wanted = name};
    text_guess elsewhere = {.wanted = name};

    text_guess_offer(&here, "--help");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (option_table[i].name[1] != '-' && strcmp(name, "-i") != 0)
            continue; /* all options of one letter are alike */
        text_guess_offer(option_table[i].verbs & (1U << p->made->verb) ? &here : &elsewhere, option_table[i].name);
    }
    const char *ignored;
    if (strcmp(name, "--help") == 0)
        p->complaint = "--help takes no value";
    else if (here.nearest && (!elsewhere.nearest || here.distance <= elsewhere.distance))
        p->complaint = arena_printf(p->memory, "unknown option '%s', did you mean '%s'?", name, here.nearest);
    else if (elsewhere.nearest)
        p->complaint = arena_printf(p->memory, "unknown option '%s', did you mean '%s' of %s?", name, elsewhere.nearest,
                                    verbs_spelling(p, option_find(elsewhere.nearest, &ignored)));
    else
        p->complaint = arena_printf(p->memory, "unknown option '%s'; 'shmc --help' lists what there is", name);
}

/* Reads one option, and its value from the next word where it has none of its own. */
static bool option_read(parse *p, char *const *words, int count, int *at, unsigned *seen)
{
    const char *value = NULL;
    const option *found = option_find(words[*at], &value);

    if (!found) {
        option_unknown(p, words[*at]);
        return false;
    }
    if (!(found->verbs & (1U << p->made->verb))) {
        p->complaint = arena_printf(p->memory, "'%s' is not an option of 'shmc %s', but of %s", found->name,
                                    verb_spelling(p->made->verb), verbs_spelling(p, found));
        return false;
    }
    unsigned bit = 1U << (unsigned)(found - option_table);
    if (found->once && (*seen & bit)) {
        p->complaint = arena_printf(p->memory, "%s is given twice", found->name);
        return false;
    }
    *seen |= bit;
    if (is_bare(found)) {
        if (value)
            p->complaint = arena_printf(p->memory, "%s takes no value", found->name);
        return !value && found->set(p, NULL);
    }
    if (!value) {
        if (*at + 1 >= count) {
            p->complaint = arena_printf(p->memory, "%s wants a value", found->name);
            return false;
        }
        value = words[++*at];
    }
    if (*value == '\0') {
        p->complaint = arena_printf(p->memory, "%s wants a value that is not empty", found->name);
        return false;
    }
    return found->set(p, value);
}

static bool words_read(parse *p, int count, char *const *words)
{
    bool only_files = false;
    unsigned seen = 0;

    for (int i = 0; i < count; i++) {
        if (only_files || words[i][0] != '-' || words[i][1] == '\0') {
            vector_add_pointer(&p->files, p->memory, words[i]);
        } else if (strcmp(words[i], "--") == 0) {
            only_files = true;
        } else if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            p->made->verb = VERB_HELP;
            return true;
        } else if (!option_read(p, words, count, &i, &seen)) {
            return false;
        }
    }
    return true;
}

/* What is missing once all words are read. */
static bool completeness_check(parse *p)
{
    if (p->made->verb == VERB_HELP || p->made->verb == VERB_VERSION)
        return true;
    if (p->files.count == 0 && p->made->verb != VERB_FORMAT) {
        p->complaint = arena_printf(p->memory, "'shmc %s' wants at least one file", verb_spelling(p->made->verb));
        return false;
    }
    if (p->made->verb == VERB_LAYOUT && p->files.count > 2) {
        p->complaint = "'shmc layout' wants one file, and at most one type of it";
        return false;
    }
    if (p->made->verb == VERB_LAYOUT && p->made->format == DIAG_GITHUB) {
        p->complaint = "--format of 'shmc layout' is 'text' or 'json'";
        return false;
    }
    if (p->made->verb == VERB_GENERATE && p->emits.count == 0) {
        p->complaint = "'shmc generate' wants --emit, such as --emit c";
        return false;
    }
    if (p->made->verb == VERB_GENERATE && !p->made->out_dir) {
        p->complaint = "'shmc generate' wants --out DIR";
        return false;
    }
    if (p->made->verb == VERB_BREAKING && !p->made->against) {
        p->complaint = "'shmc breaking' wants --against OLD, the schema to compare with";
        return false;
    }
    if (p->made->verb == VERB_BREAKING && p->files.count > 1) {
        p->complaint = "'shmc breaking' compares one file with one";
        return false;
    }
    return true;
}

int options_parse(arena *memory, int argument_count, char *const *arguments, options *ret, const char **ret_complaint)
{
    options made = {0};
    parse p = {.memory = memory,
               .made = &made,
               .files = VECTOR_OF(const char *),
               .include_dirs = VECTOR_OF(const char *),
               .against_dirs = VECTOR_OF(const char *),
               .emits = VECTOR_OF(const backend *)};

    if (argument_count < 2)
        p.complaint = "what is to be done? 'shmc --help' lists the verbs";
    if (argument_count < 2 || !verb_find(&p, arguments[1]) || !words_read(&p, argument_count - 2, arguments + 2) ||
        !completeness_check(&p)) {
        *ret_complaint = p.complaint;
        return -1;
    }
    made.files = p.files.items;
    made.file_count = p.files.count;
    made.include_dirs = p.include_dirs.items;
    made.include_count = p.include_dirs.count;
    made.against_dirs = p.against_dirs.count ? p.against_dirs.items : made.include_dirs;
    made.against_count = p.against_dirs.count ? p.against_dirs.count : made.include_count;
    made.emits = p.emits.items;
    made.emit_count = p.emits.count;
    *ret = made;
    return 0;
}

static const char help_head[] =
    "Usage: shmc generate --emit LIST --out DIR [OPTION]... FILE.shm...\n"
    "       shmc check [OPTION]... FILE.shm...\n"
    "       shmc freeze [OPTION]... FILE.shm...\n"
    "       shmc breaking --against OLD.shm [OPTION]... NEW.shm\n"
    "       shmc format [--check] [FILE.shm]...\n"
    "       shmc layout [OPTION]... FILE.shm [TYPE]\n"
    "\n"
    "Compiles .shm files: descriptions of services whose messages have a fixed layout.\n"
    "\n"
    "  generate               writes what --emit asks for, or nothing where a file has an error\n"
    "  check                  reports what is wrong with the files, and writes nothing\n"
    "  freeze                 writes FILE.shm.lock: what is out, with which every later compile compares the file\n"
    "  breaking               reports what NEW.shm breaks for those who have OLD.shm\n"
    "  format                 lays the files out as all files are; without a file, or as '-', standard input to\n"
    "                         standard output\n"
    "  layout                 shows what is where in the types of a file, and what a lane of a service takes\n"
    "\n"
    "  --emit LIST            what to generate, separated by commas:\n";

static const char help_tail[] =
    "  --out DIR              where to; made where it does not exist\n"
    "  -I DIR                 a folder in which imports are looked for, and from which output is named;\n"
    "                         may be given several times\n"
    "  --depfile FILE         writes which inputs the outputs depend on, for Make and Ninja\n"
    "  --at-version N         generate, check, layout: the files as they were at version N of their packages\n"
    "  --max-message BYTES    the largest message that is accepted (default 65536)\n"
    "  --format text|json|github\n"
    "                         generate, check, breaking, layout: how to report; text of the first two goes to stderr, all\n"
    "                         else to stdout\n"
    "  --against OLD.shm      breaking: the schema that is out\n"
    "  --against-include DIR  breaking: as -I, for OLD.shm; the folders of -I where it is not given\n"
    "  --allow LIST           breaking: what not to report: wire, source, behaviour, or single rules\n"
    "  --check                format: lists the files that would change, and writes nothing; status 1 if any\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 the files have errors or break what is out, 2 the command line, a file or a disk is at fault.\n";

const char *options_help(arena *memory)
{
    const char *text = help_head;

    for (const backend *const *each = backends; *each; each++)
        text = arena_printf(memory, "%s                           %-6s %s\n", text, (*each)->name, (*each)->summary);
    return arena_printf(memory, "%s%s", text, help_tail);
}
