// SPDX-License-Identifier: Apache-2.0
//
// A server and a client of it in C++: objects are derived from what is generated, and found again by static_cast.
#include "ledger.shm.h"

#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

namespace {

class Ledger : public ledger_server {
public:
    static int enter(ledger_server *server, ledger_enter_context *context, const ledger_entry *request,
                     ledger_total *reply)
    {
        auto *self = static_cast<Ledger *>(server);

        if (self->total_ + request->amount < 0) {
            const ledger_funds funds = {self->total_};
            return ledger_enter_throw_overdrawn(context, &funds);
        }
        self->total_ += request->amount;
        reply->amount = self->total_;
        reply->entries = ++self->entries_;
        return 0;
    }

    static void forget(ledger_server *server, ledger_forget_context *)
    {
        static_cast<Ledger *>(server)->total_ = 0;
    }

private:
    int64_t total_ = 0;
    uint32_t entries_ = 0;
};

struct Entering : ledger_enter_call {
    Entering() : ledger_enter_call{} {}

    int status = 1;
    int64_t amount = -1;
    static unsigned told;

    static void on_done(ledger_enter_call *call, int rc, const ledger_total *reply)
    {
        auto *self = static_cast<Entering *>(call);

        self->status = rc;
        self->amount = reply != nullptr ? reply->amount : -1;
        told++;
    }
};

unsigned Entering::told = 0;

ledger_entry entry(int64_t amount, std::string_view reason)
{
    ledger_entry made;

    ledger_entry_init(&made);
    made.amount = amount;
    if (!ledger_entry_set_reason(&made, reason.data(), reason.size())) {
        std::cerr << "does not fit: " << reason << '\n';
    }
    return made;
}

int fail(const char *what, int rc)
{
    std::cerr << what << ": " << shmrpc_status_text(rc) << ": " << shmrpc_last_error() << '\n';
    return rc != 0 ? rc : SHMRPC_E_INTERNAL;
}

// Says on std::cout what came of three calls at once, told by dispatch, and of one that is refused.
int use(ledger_client *client)
{
    std::array<Entering, 3> calls;
    ledger_total total;

    ledger_batch_begin(client);
    for (auto &call : calls) {
        const ledger_entry made = entry(100, "sale");
        call.done = Entering::on_done;
        if (int rc = ledger_enter_start(client, &call, &made, shmrpc_default()); rc != 0) {
            return fail("start", rc);
        }
    }
    if (int rc = ledger_batch_end(client); rc != 0) {
        return fail("batch", rc);
    }

    const ledger_entry too_much = entry(-301, "rent");
    int rc = ledger_enter(client, &too_much, &total, shmrpc_in_ms(10000)); // answered after the others
    if (rc != LEDGER_ERROR_OVERDRAWN || ledger_error_overdrawn(client) == nullptr) {
        return fail("enter", rc);
    }
    const int64_t left = ledger_error_overdrawn(client)->left;

    while ((rc = ledger_client_dispatch(client, 2)) == 1) {
    }
    if (rc != 0 || Entering::told != calls.size()) {
        return fail("dispatch", rc);
    }
    for (const auto &call : calls) {
        std::cout << call.status << ' ' << call.amount << '\n';
    }
    std::cout << left << " left\n";
    return 0;
}

} // namespace

int main()
{
    Ledger ledger;
    ledger_ops ops = {};
    ledger_client *client = nullptr;

    ops.enter = Ledger::enter;
    ops.forget = Ledger::forget;
    int rc = ledger_server_init(&ledger, &ops, "ledger", nullptr);
    if (rc != 0) {
        return fail("server", rc) != 0;
    }
    int served = 1;
    std::thread thread([&] { served = ledger_server_run(&ledger); });

    rc = ledger_connect(&client, "ledger", nullptr);
    rc = rc == 0 ? use(client) : fail("connect", rc);
    ledger_client_free(client);
    ledger_server_stop(&ledger);
    thread.join();
    ledger_server_deinit(&ledger);
    return rc != 0 || served != 0;
}
