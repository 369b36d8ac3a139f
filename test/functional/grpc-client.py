"""Calls one method without a line of ours: gRPC's own library in C++, and bytes that were written by hand.
grpc-client.py TARGET METHOD REQUEST-IN-HEX: prints the response in hex, or the name of the status."""
import sys
import grpc

target, method, request = sys.argv[1:4]
with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary("/v1alpha.PublicAPI/" + method)
    try:
        print(call(bytes.fromhex(request), timeout=20).hex())
    except grpc.RpcError as error:
        print(error.code().name)
