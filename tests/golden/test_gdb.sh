#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_gdb.sh SOURCE_DIR SHMC: what a debugger shows of a message: its members, by the names of the schema.
set -uo pipefail

source_dir=$(realpath "$1")
shmc=$(realpath "$2")
readonly source_dir shmc
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# debug PROGRAM COMMAND…: what gdb says to them, on one line. gdb reads no file of the user's.
debug() {
    local program=$1 arguments=() command
    shift
    for command in "$@"; do
        arguments+=(-ex "$command")
    done
    DEBUGINFOD_URLS='' gdb -nx -batch -ex 'set width 0' -ex 'set startup-with-shell off' "${arguments[@]}" "$program" 2>&1 |
        tr -s '[:space:]' ' '
}

require_gdb() {
    type -P gdb >/dev/null || skip "gdb is not installed"
    echo 'int main(void) { return 0; }' >probe.c
    cc -g -o probe probe.c
    case $(debug ./probe 'break main' run) in
    *"Breakpoint 1, main"*) ;;
    *) skip "gdb cannot run a program here" ;;
    esac
}

shows_names() {
    local compiler=$1 language=$2 said
    shift 2
    type -P "$compiler" >/dev/null || skip "$compiler is not installed"
    require_gdb
    cat >shop.shm <<'SHM'
package shop;
enum Way : uint8 { LATER = 0; NOW = 1; }
struct Item { string<7> name; uint16 pieces; }
union Pay { uint64 cents = 1; string<11> voucher = 2; }
message Order { uint32 id; Way way; float64? tip; Pay pay; vector<Item, 4> items; }
SHM
    "$shmc" generate --emit c --out . shop.shm 2>/dev/null
    cat >program.c <<'C'
#include "shop.shm.h"

static int handle(const shop_order *request)
{
    return (int)request->id;
}

int main(void)
{
    static shop_order order;

    order.id = 77;
    order.way = SHOP_WAY_NOW;
    order.pay.tag = SHOP_PAY_VOUCHER;
    order.pay.body.voucher.length = 4;
    memcpy(order.pay.body.voucher.text, "free", 5);
    order.items.count = 2;
    order.items.items[1].name.length = 3;
    memcpy(order.items.items[1].name.text, "tea", 4);
    order.items.items[1].pieces = 12;
    return handle(&order) != 77;
}
C
    "$compiler" -x "$language" -g3 "$@" -O0 -I "$source_dir/include" -I . -o program program.c
    said=$(debug ./program 'break handle' run 'p *request' 'p request->pay.body.voucher' 'p request->items.items[1]' \
        'p request->way == SHOP_WAY_NOW' 'ptype request')
    expect_text "$said" "{id = 77, way = 1 '\\001', has_tip = 0 '\\000', padding_1_ = \"\\000\", tip = 0, pay = {tag = 2, "
    expect_text "$said" "items = {count = 2, items = {{name = {length = 0, text = \"\\000"
    expect_text "$said" "= {length = 4, text = \"free\\000"
    expect_text "$said" "= {name = {length = 3, text = \"tea\\000\\000\\000\\000\"}, pieces = 12}"
    expect_text "$said" "\$4 = $([ "$language" = c ] && echo 1 || echo true)"
    expect_text "$said" "shop_order"
}

run_case shows_names gcc c
run_case shows_names g++ c++
run_case shows_names clang c -fdebug-macro
end_cases
