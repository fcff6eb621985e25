/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.cpp - gRPC for C++ over a Unix socket, with its blocking interface: a call each, or one stream both ways on which
 * many can be in flight.
 */
#include "peer.h"

#include "bench.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string.h>
#include <string>

namespace
{

using shmrpc::bench::Bench;
using shmrpc::bench::Operands;
using shmrpc::bench::Payload;
using shmrpc::bench::Sum;

class Answering final : public Bench::Service
{
    grpc::Status Add(grpc::ServerContext *, const Operands *request, Sum *reply) override
    {
        reply->set_value(static_cast<int64_t>(request->left()) + request->right());
        return grpc::Status::OK;
    }

    grpc::Status AddAll(grpc::ServerContext *, grpc::ServerReaderWriter<Sum, Operands> *stream) override
    {
        Operands request;
        Sum reply;

        while (stream->Read(&request)) {
            reply.set_value(static_cast<int64_t>(request.left()) + request.right());
            if (!stream->Write(reply)) {
                break;
            }
        }
        return grpc::Status::OK;
    }

    grpc::Status Echo(grpc::ServerContext *, const Payload *request, Payload *reply) override
    {
        reply->set_data(request->data());
        return grpc::Status::OK;
    }
};

using Stream = grpc::ClientReaderWriter<Operands, Sum>;

std::unique_ptr<Bench::Stub> stub;
std::unique_ptr<grpc::ClientContext> stream_context;
std::unique_ptr<Stream> stream;

std::string address_of(const peer_place *place)
{
    return std::string("unix:") + place->socket;
}

int grpc_serve(const peer_place *place)
{
    Answering answering;
    grpc::ServerBuilder builder;

    builder.AddListeningPort(address_of(place), grpc::InsecureServerCredentials());
    builder.RegisterService(&answering);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

    if (!server) {
        return peer_say("grpc", "no server", "it cannot be started");
    }
    if (peer_tell_ready(place) != 0) {
        return -1;
    }
    server->Wait();
    return 0;
}

int grpc_connect(const peer_place *place)
{
    stub = Bench::NewStub(grpc::CreateChannel(address_of(place), grpc::InsecureChannelCredentials()));
    return 0;
}

int grpc_stream_connect(const peer_place *place)
{
    grpc_connect(place);
    stream_context = std::make_unique<grpc::ClientContext>();
    stream = stub->AddAll(stream_context.get());
    return 0;
}

void grpc_disconnect()
{
    if (stream) {
        stream->WritesDone();
        stream->Finish();
        stream.reset();
        stream_context.reset();
    }
    stub.reset();
}

int ended(const grpc::Status &status)
{
    return status.ok() ? 0 : peer_say("grpc", "no answer", status.error_message().c_str());
}

int grpc_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    grpc::ClientContext context;
    Operands request;
    Sum reply;

    request.set_left(left);
    request.set_right(right);
    const int r = ended(stub->Add(&context, request, &reply));
    *ret_sum = reply.value();
    return r;
}

int grpc_echo(const void *bytes, size_t length, void *ret_bytes)
{
    grpc::ClientContext context;
    Payload request, reply;

    request.set_data(bytes, length);
    if (ended(stub->Echo(&context, request, &reply)) != 0 || reply.data().size() != length) {
        return -1;
    }
    memcpy(ret_bytes, reply.data().data(), length);
    return 0;
}

int grpc_start(int32_t left, int32_t right)
{
    Operands request;

    request.set_left(left);
    request.set_right(right);
    return stream->Write(request) ? 0 : peer_say("grpc_stream", "cannot send", "the stream has ended");
}

int grpc_finish(int64_t *ret_sum)
{
    Sum reply;

    if (!stream->Read(&reply)) {
        return peer_say("grpc_stream", "no answer", "the stream has ended");
    }
    *ret_sum = reply.value();
    return 0;
}

int grpc_stream_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    return grpc_start(left, right) != 0 ? -1 : grpc_finish(ret_sum);
}

peer made(bool is_stream)
{
    peer self = {};

    self.name = is_stream ? "grpc_stream" : "grpc";
    self.summary = is_stream ? "gRPC, one stream, Unix socket" : "gRPC, blocking calls, Unix socket";
    self.packages = "libgrpc++-dev protobuf-compiler-grpc";
    self.slowness = 20;
    self.serve = grpc_serve;
    self.connect = is_stream ? grpc_stream_connect : grpc_connect;
    self.disconnect = grpc_disconnect;
    self.add = is_stream ? grpc_stream_add : grpc_add;
    self.echo = is_stream ? nullptr : grpc_echo;
    self.start = is_stream ? grpc_start : nullptr;
    self.finish = is_stream ? grpc_finish : nullptr;
    return self;
}

} // namespace

extern const peer peer_grpc = made(false);
extern const peer peer_grpc_stream = made(true);
