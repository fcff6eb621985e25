/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.y - the grammar, and nothing but the grammar.
 *
 * Pure, with places. Nodes live in an arena, so that nothing is destroyed when
 * the parser gives up on something. Mistakes that people make often are rules
 * of their own (`end`, a lone ';', `bad_name`, a number after a field or a
 * method): they are reported and nothing is lost. All others are found with
 * look-ahead correction, which makes the list of what was expected exact. Where
 * an entry or a body with a mistake ends, syntax.c has made sure of it: hence
 * yyerrok at once.
 */
%require "3.8"
%define api.pure full
%define api.prefix {parser_}
%define api.token.prefix {TOKEN_}
%define api.location.type {span}
%define parse.error custom
%define parse.lac full
%locations
%param {struct parse *state}
%expect 0

%code requires {
#include "parse.h"
}

%code {
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

#define YYMALLOC memory_alloc
#define YYFREE free
#define YYMAXDEPTH 6000
#define YYLLOC_DEFAULT(current, rhs, n)                                                                                \
    ((current) = (n) ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n))                                                   \
                     : (span){YYRHSLOC(rhs, 0).file, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

int parser_lex(PARSER_STYPE *value, PARSER_LTYPE *place, struct parse *state);
static void parser_error(const span *place, struct parse *state, const char *message);

static ast_type *scalar(struct parse *state, model_kind kind, ast_ident word)
{
    ast_type *type = ast_type_new(parse_nodes(state), AST_TYPE_SCALAR, word.at);
    type->scalar = kind;
    type->name = word;
    return type;
}

static ast_ident *ident_copy(struct parse *state, ast_ident name)
{
    ast_ident *copy = arena_alloc(parse_nodes(state), sizeof(*copy));
    *copy = name;
    return copy;
}
}

%initial-action { @$ = (span){parse_source(state), 0, 0}; }

%union {
    ast_ident ident;
    ast_string string;
    const char *doc;
    ast_expr *expr;
    ast_type *type;
    ast_notes *notes;
    vector *list;
    ast_argument *argument;
    ast_field *field;
    ast_member *member;
    ast_method *method;
    ast_payload *payload;
    ast_body *body;
    ast_reserved *reserved;
    ast_range *range;
    ast_decl_kind decl_kind;
    ast_method_kind method_kind;
}

%token <ident>
    PACKAGE "package"  IMPORT "import"  AS "as"  CONST "const"  ALIAS "alias"  STRICT "strict"  ENUM "enum"
    FLAGS "flags"  STRUCT "struct"  MESSAGE "message"  UNION "union"  ERRORS "errors"  SERVICE "service"
    TOPIC "topic"  QUEUE "queue"  RPC "rpc"  ONEWAY "oneway"  EVENT "event"  STREAM "stream"  COMPOSE "compose"
    THROWS "throws"  RESERVED "reserved"  STRING_TYPE "string"  BYTES "bytes"  VECTOR "vector"  SIZEOF "sizeof"
    TRUE "true"  FALSE "false"  BOOL "bool"  INT8 "int8"  INT16 "int16"  INT32 "int32"  INT64 "int64"
    UINT8 "uint8"  UINT16 "uint16"  UINT32 "uint32"  UINT64 "uint64"  FLOAT32 "float32"  FLOAT64 "float64"
    LATER "reserved word"  IDENT "name"
%token <doc> DOC "doc comment"
%token <expr> NUMBER "number"
%token <string> STRING "string literal"
%token ARROW "->"  RANGE ".."  SHIFT_LEFT "<<"  SHIFT_RIGHT ">>"
%token YYEOF 0 "end of file"

%precedence NO_END
%precedence ';'
%left '|'
%left '^'
%left '&'
%left "<<" ">>"
%left '+' '-'
%left '*' '/' '%'
%precedence UNARY

%type <ident> qname ident soft hard word declared constant member_name field_name method_name
%type <notes> notes
%type <list> parts arguments argument_list ranges
%type <body> fields members methods
%type <reserved> reserved
%type <range> range
%type <argument> argument
%type <expr> expr tag
%type <type> scalar type base
%type <field> field
%type <member> member
%type <method> method reply
%type <payload> pay payload
%type <decl_kind> members_word fields_word channel_word
%type <method_kind> method_word
%type <ident> member_payload throws strict

%%

file
    : %empty
    | file item
    ;

item
    : notes declaration
    | ';'               { parse_stray_end(state, @1); }
    | error ';'         { yyerrok; }
    | error '}'         { yyerrok; }
    ;

notes
    : %empty            { $$ = parse_notes(state); }
    | notes DOC         { parse_doc(state, $1, $2); $$ = $1; }
    | notes '@' ident arguments
                        { parse_annotation(state, $1, $3, $4, span_join(@2, $4 ? @4 : @3)); $$ = $1; }
    ;

arguments
    : %empty            { $$ = NULL; }
    | '(' argument_list ')' { $$ = $2; }
    | '(' ')'           { $$ = parse_list(state); }
    ;

argument_list
    : argument          { $$ = parse_list(state); parse_list_add(state, $$, $1); }
    | argument_list comma argument { $$ = $1; parse_list_add(state, $$, $3); }
    ;

argument
    : expr              { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->value = $1; }
    | IDENT '=' expr    { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->name = $1; $$->value = $3; }
    ;

declaration
    : "package" qname end               { parse_package(state, $<notes>0, $2, span_join(@1, @2)); }
    | "import" STRING end               { parse_import(state, $<notes>0, $2, (ast_ident){0}); }
    | "import" STRING "as" IDENT end    { parse_import(state, $<notes>0, $2, $4); }
    | "const" type constant '=' expr end
        { parse_declare(state, &(ast_decl){.kind = AST_CONST, .notes = $<notes>0, .name = $3, .type = $2, .value = $5}); }
    | "alias" declared '=' type end
        { parse_declare(state, &(ast_decl){.kind = AST_ALIAS, .notes = $<notes>0, .name = $2, .type = $4}); }
    | strict members_word declared base '{' members close
        { parse_declare(state, &(ast_decl){.kind = $2, .notes = $<notes>0, .name = $3, .type = $4, .body = $6,
                                           .strict = parse_strict(state, $1, $2)}); }
    | strict fields_word declared '{' fields close
        { parse_declare(state, &(ast_decl){.kind = $2, .notes = $<notes>0, .name = $3, .body = $5,
                                           .strict = parse_strict(state, $1, $2)}); }
    | strict "service" declared '{' methods close
        { parse_declare(state, &(ast_decl){.kind = AST_SERVICE, .notes = $<notes>0, .name = $3, .body = $5,
                                           .strict = parse_strict(state, $1, AST_SERVICE)}); }
    | channel_word declared '(' payload ')' end
        { parse_declare(state, &(ast_decl){.kind = $1, .notes = $<notes>0, .name = $2, .payload = $4}); }
    ;

end
    : ';'
    | ','       { parse_wrong_separator(state, @1, ",", ";"); }
    | %empty %prec NO_END   { parse_missing_end(state, @$); }
    ;

close
    : '}'       { yyerrok; }
    ;

strict
    : %empty    { $$ = (ast_ident){0}; }
    | "strict"
    ;

members_word
    : "enum"    { $$ = AST_ENUM; }
    | "flags"   { $$ = AST_FLAGS; }
    | "errors"  { $$ = AST_ERRORS; }
    ;

fields_word
    : "struct"  { $$ = AST_STRUCT; }
    | "message" { $$ = AST_MESSAGE; }
    | "union"   { $$ = AST_UNION; }
    ;

channel_word
    : "topic"   { $$ = AST_TOPIC; }
    | "queue"   { $$ = AST_QUEUE; }
    ;

base
    : %empty    { $$ = NULL; }
    | ':' type  { $$ = $2; }
    ;

declared
    : IDENT
    | soft      { parse_bad_name(state, $1, "a declaration"); $$ = $1; }
    | hard      { parse_bad_name(state, $1, "a declaration"); $$ = $1; }
    ;

constant
    : IDENT
    | soft      { parse_bad_name(state, $1, "a declaration"); $$ = $1; }
    | word      { parse_bad_name(state, $1, "a declaration"); $$ = $1; }
    | scalar    { $$ = parse_swapped(state, $<type>0, $1, "a declaration"); }
    ;

/* ---- members of enum, flags and errors ---- */

members
    : %empty            { $$ = parse_body(state); }
    | members member    { parse_list_add(state, &$1->entries, $2); $$ = $1; }
    | members notes reserved { parse_reserve(state, $1, $2, $3); $$ = $1; }
    | members error     { $$ = $1; }
    ;

member
    : notes member_name member_payload '=' expr end
        { $$ = arena_alloc(parse_nodes(state), sizeof(*$$));
          *$$ = (ast_member){$1, $2, $3.text ? ident_copy(state, $3) : NULL, $5}; }
    | error ';'                     { $$ = NULL; yyerrok; }
    ;

member_name
    : ident
    | hard      { parse_bad_name(state, $1, "a member"); $$ = $1; }
    ;

member_payload
    : %empty        { $$ = (ast_ident){0}; }
    | '(' qname ')' { $$ = $2; }
    ;

/* ---- what `reserved` keeps, in any of the bodies: whether it may there is not a matter of grammar ---- */

reserved
    : "reserved" type ';'       { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->at = @1; $$->type = $2; }
    | "reserved" type ident ';' { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->at = @1; $$->type = $2;
                                  $$->name = $3; }
    | "reserved" ranges ';'     { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->at = @1; $$->ranges = $2; }
    ;

ranges
    : range             { $$ = parse_list(state); parse_list_add(state, $$, $1); }
    | ranges ',' range  { $$ = $1; parse_list_add(state, $$, $3); }
    ;

range
    : NUMBER                { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); *$$ = (ast_range){@$, {0}, $1, $1}; }
    | NUMBER ".." NUMBER    { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); *$$ = (ast_range){@$, {0}, $1, $3}; }
    | STRING                { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); *$$ = (ast_range){@$, $1, NULL, NULL}; }
    ;

/* ---- fields of struct, message, union and inline bodies ---- */

fields
    : %empty            { $$ = parse_body(state); }
    | fields field      { parse_list_add(state, &$1->entries, $2); $$ = $1; }
    | fields notes reserved { parse_reserve(state, $1, $2, $3); $$ = $1; }
    | fields error      { $$ = $1; }
    ;

field
    : notes type field_name tag end
        { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); *$$ = (ast_field){$1, $2, $3, $4}; }
    | error ';'                         { $$ = NULL; yyerrok; }
    ;

field_name
    : ident
    | word      { parse_bad_name(state, $1, "a field"); $$ = $1; }
    | scalar    { $$ = parse_swapped(state, $<type>0, $1, "a field"); }
    ;

tag
    : %empty    { $$ = NULL; }
    | '=' expr  { $$ = $2; }
    ;

/* ---- methods ---- */

methods
    : %empty            { $$ = parse_body(state); }
    | methods method    { parse_list_add(state, &$1->entries, $2); $$ = $1; }
    | methods notes reserved { parse_reserve(state, $1, $2, $3); $$ = $1; }
    | methods error     { $$ = $1; }
    ;

method
    : notes method_word method_name '(' pay ')' reply throws tag end
        {
            $$ = $7;
            $$->notes = $1;
            $$->kind = $2;
            $$->word = @2;
            $$->name = $3;
            $$->request = $5;
            $$->throws = $8.text ? ident_copy(state, $8) : NULL;
            $$->number = $9;
            if ($2 == AST_RPC && !$$->has_reply)
                parse_no_reply(state, @7);
        }
    | notes "compose" qname end
        { $$ = arena_alloc(parse_nodes(state), sizeof(*$$));
          *$$ = (ast_method){.notes = $1, .kind = AST_COMPOSE, .word = @2, .name = $3}; }
    | error ';'                         { $$ = NULL; yyerrok; }
    ;

method_word
    : "rpc"     { $$ = AST_RPC; }
    | "oneway"  { $$ = AST_ONEWAY; }
    | "event"   { $$ = AST_EVENT; }
    ;

method_name
    : ident
    | hard      { parse_bad_name(state, $1, "a method"); $$ = $1; }
    ;

reply
    : %empty            { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); }
    | "->" '(' pay ')'  { $$ = arena_alloc(parse_nodes(state), sizeof(*$$));
                          $$->has_reply = true; $$->reply = $3; $$->reply_at = @$; }
    ;

throws
    : %empty            { $$ = (ast_ident){0}; }
    | "throws" qname    { $$ = $2; }
    ;

pay
    : %empty            { $$ = NULL; }
    | payload
    | "stream" payload  { $$ = $2; $$->stream = @1; }
    ;

payload
    : qname             { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->at = @$; $$->name = $1; }
    | '{' fields close    { $$ = arena_alloc(parse_nodes(state), sizeof(*$$)); $$->at = @$; $$->body = $2; }
    ;

/* ---- types ---- */

scalar
    : "bool"    { $$ = scalar(state, MODEL_BOOL, $1); }
    | "int8"    { $$ = scalar(state, MODEL_INT8, $1); }
    | "int16"   { $$ = scalar(state, MODEL_INT16, $1); }
    | "int32"   { $$ = scalar(state, MODEL_INT32, $1); }
    | "int64"   { $$ = scalar(state, MODEL_INT64, $1); }
    | "uint8"   { $$ = scalar(state, MODEL_UINT8, $1); }
    | "uint16"  { $$ = scalar(state, MODEL_UINT16, $1); }
    | "uint32"  { $$ = scalar(state, MODEL_UINT32, $1); }
    | "uint64"  { $$ = scalar(state, MODEL_UINT64, $1); }
    | "float32" { $$ = scalar(state, MODEL_FLOAT32, $1); }
    | "float64" { $$ = scalar(state, MODEL_FLOAT64, $1); }
    ;

type
    : scalar
    | qname     { $$ = ast_type_new(parse_nodes(state), AST_TYPE_NAME, @$); $$->name = $1; }
    | type '[' expr ']'                 { $$ = parse_type(state, AST_TYPE_ARRAY, $1, $3, @$); }
    | type '?'                          { $$ = parse_type(state, AST_TYPE_OPTIONAL, $1, NULL, @$); }
    | "string" '<' expr '>'             { $$ = parse_type(state, AST_TYPE_STRING, NULL, $3, @$); }
    | "bytes" '<' expr '>'              { $$ = parse_type(state, AST_TYPE_BYTES, NULL, $3, @$); }
    | "vector" '<' type comma expr '>'  { $$ = parse_type(state, AST_TYPE_VECTOR, $3, $5, @$); }
    ;

comma
    : ','
    | ';'       { parse_wrong_separator(state, @1, ";", ","); }
    ;

/* ---- expressions ---- */

expr
    : NUMBER
    | STRING            { $$ = ast_expr_new(parse_nodes(state), AST_STRING, @$); $$->text = $1; }
    | "true"            { $$ = ast_expr_new(parse_nodes(state), AST_BOOL, @$); $$->integer = 1; }
    | "false"           { $$ = ast_expr_new(parse_nodes(state), AST_BOOL, @$); }
    | qname             { $$ = ast_expr_new(parse_nodes(state), AST_NAME, @$);
                          $$->text = (ast_string){$1.text, 0, @$}; }
    | "sizeof" '(' type ')' { $$ = ast_expr_new(parse_nodes(state), AST_SIZEOF, @$); $$->type = $3; }
    | '(' expr ')'      { $$ = parse_group(state, $2, @$); }
    | '-' expr %prec UNARY  { $$ = parse_unary(state, AST_NEGATE, $2, @$); }
    | '~' expr %prec UNARY  { $$ = parse_unary(state, AST_INVERT, $2, @$); }
    | expr '|' expr     { $$ = parse_binary(state, AST_OR, $1, $3, @$); }
    | expr '^' expr     { $$ = parse_binary(state, AST_XOR, $1, $3, @$); }
    | expr '&' expr     { $$ = parse_binary(state, AST_AND, $1, $3, @$); }
    | expr "<<" expr    { $$ = parse_binary(state, AST_SHIFT_LEFT, $1, $3, @$); }
    | expr ">>" expr    { $$ = parse_binary(state, AST_SHIFT_RIGHT, $1, $3, @$); }
    | expr '+' expr     { $$ = parse_binary(state, AST_ADD, $1, $3, @$); }
    | expr '-' expr     { $$ = parse_binary(state, AST_SUBTRACT, $1, $3, @$); }
    | expr '*' expr     { $$ = parse_binary(state, AST_MULTIPLY, $1, $3, @$); }
    | expr '/' expr     { $$ = parse_binary(state, AST_DIVIDE, $1, $3, @$); }
    | expr '%' expr     { $$ = parse_binary(state, AST_REMAINDER, $1, $3, @$); }
    ;

/* ---- names ---- */

qname
    : IDENT
    | parts             { $$ = (ast_ident){parse_join(state, $1), @$}; }
    ;

parts
    : IDENT '.' ident   { $$ = parse_list(state); parse_list_add(state, $$, $1.text);
                          parse_list_add(state, $$, $3.text); }
    | parts '.' ident   { $$ = $1; parse_list_add(state, $$, $3.text); }
    ;

ident
    : IDENT
    | soft
    ;

soft
    : "package" | "import" | "as" | "alias" | "flags" | "message" | "errors" | "service" | "rpc" | "oneway"
    | "event" | "stream" | "compose" | "throws" | "topic" | "queue" | "strict" | "string" | "bytes" | "vector"
    ;

hard
    : word
    | scalar    { $$ = $1->name; }
    ;

word
    : "const" | "enum" | "struct" | "union" | "sizeof" | "true" | "false" | LATER
    ;

%%

static void parser_error(const span *place, struct parse *state, const char *message)
{
    (void)message; /* only ever that the stack is as large as it may be: faults of syntax go to the function below */
    parse_too_deep(state, *place);
}

static bool is_operator(const char *name)
{
    bool shift = strcmp(name, "<<") == 0 || strcmp(name, ">>") == 0;
    return shift || (name[0] == '\'' && name[1] && name[2] == '\'' && strchr("|^&+-*/%~.", name[1]));
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parse *state)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    const char *names[YYNTOKENS];
    parse_surprise surprise = {.names = names};

    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    if (count < 0)
        return count;
    bool could_begin = false; /* a declaration: then a ';' would be one too many, not one that is missing */
    for (int i = 0; i < count; i++) {
        const char *name = yysymbol_name(kinds[i]);
        could_begin = could_begin || kinds[i] == YYSYMBOL_IMPORT;
        surprise.could_end = surprise.could_end || strcmp(name, "';'") == 0;
        if (!is_operator(name))
            names[surprise.count++] = name;
    }
    surprise.could_end = surprise.could_end && !could_begin;
    parse_unexpected(state, &surprise);
    return 0;
}
