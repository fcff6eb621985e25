/* SPDX-License-Identifier: Apache-2.0 */
/* capnp.cpp - Cap'n Proto's RPC over a Unix socket. With many calls in flight, each is a promise. */
#include "peer.h"

#include "bench.capnp.h"

#include <capnp/ez-rpc.h>
#include <kj/exception.h>

#include <deque>
#include <memory>
#include <string.h>
#include <string>

namespace
{

class Answering final : public Bench::Server
{
    kj::Promise<void> add(AddContext context) override
    {
        auto given = context.getParams();

        context.getResults().setSum(static_cast<int64_t>(given.getLeft()) + given.getRight());
        return kj::READY_NOW;
    }

    kj::Promise<void> echo(EchoContext context) override
    {
        context.getResults().setBytes(context.getParams().getBytes());
        return kj::READY_NOW;
    }
};

struct Connection {
    explicit Connection(const std::string &address) : client(address), bench(client.getMain<Bench>()) {}

    capnp::EzRpcClient client;
    Bench::Client bench;
    std::deque<capnp::RemotePromise<Bench::AddResults>> started;
};

std::unique_ptr<Connection> connection;

/* Runs what may throw. Returns 0, or -1 and has said what was thrown. */
template <typename Function> int guarded(const char *what, Function &&function)
{
    auto thrown = kj::runCatchingExceptions([&]() { function(); });

    KJ_IF_MAYBE(exception, thrown) {
        return peer_say("capnp", what, exception->getDescription().cStr());
    }
    return 0;
}

std::string address_of(const peer_place *place)
{
    return std::string("unix:") + place->socket;
}

int capnp_serve(const peer_place *place)
{
    return guarded("the server failed", [&]() {
        capnp::EzRpcServer server(kj::heap<Answering>(), address_of(place));
        auto &scope = server.getWaitScope();

        server.getPort().wait(scope); /* it listens */
        if (peer_tell_ready(place) == 0) {
            kj::NEVER_DONE.wait(scope);
        }
    });
}

int capnp_connect(const peer_place *place)
{
    return guarded("no connection", [&]() { connection = std::make_unique<Connection>(address_of(place)); });
}

void capnp_disconnect()
{
    connection.reset();
}

int capnp_start(int32_t left, int32_t right)
{
    return guarded("cannot send", [&]() {
        auto request = connection->bench.addRequest();

        request.setLeft(left);
        request.setRight(right);
        connection->started.push_back(request.send());
    });
}

int capnp_finish(int64_t *ret_sum)
{
    return guarded("no answer", [&]() {
        auto oldest = kj::mv(connection->started.front());

        connection->started.pop_front();
        *ret_sum = oldest.wait(connection->client.getWaitScope()).getSum();
    });
}

int capnp_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    return guarded("no answer", [&]() {
        auto request = connection->bench.addRequest();

        request.setLeft(left);
        request.setRight(right);
        *ret_sum = request.send().wait(connection->client.getWaitScope()).getSum();
    });
}

int capnp_echo(const void *bytes, size_t length, void *ret_bytes)
{
    size_t returned = 0;
    const int r = guarded("no answer", [&]() {
        auto request = connection->bench.echoRequest();

        request.setBytes(capnp::Data::Reader(static_cast<const kj::byte *>(bytes), length));
        auto response = request.send().wait(connection->client.getWaitScope());
        returned = response.getBytes().size();
        if (returned == length) {
            memcpy(ret_bytes, response.getBytes().begin(), length);
        }
    });

    return r == 0 && returned == length ? 0 : -1;
}

peer made()
{
    peer self = {};

    self.name = "capnp";
    self.summary = "Cap'n Proto, Unix socket";
    self.packages = "libcapnp-dev capnproto";
    self.slowness = 20;
    self.serve = capnp_serve;
    self.connect = capnp_connect;
    self.disconnect = capnp_disconnect;
    self.add = capnp_add;
    self.echo = capnp_echo;
    self.start = capnp_start;
    self.finish = capnp_finish;
    return self;
}

} // namespace

extern const peer peer_capnp = made();
