"""Takes the tasks of one module, eight at a time: worker.py ADDRESS MODULE LEASE_SECONDS"""

import asyncio
import json
import sys

import dbos_pb2 as pb
import dbos_pb2_grpc
import grpc

ADDRESS, MODULE, LEASE_SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
# So that a connection that went silent is noticed, and one that broke is back soon.
CONNECTION = {"keepalive_time_ms": 20_000, "http2.max_pings_without_data": 0, "max_reconnect_backoff_ms": 5_000}


async def measure(task):
    """Yours: measures and stores the result, raises what went wrong. When cancelled it ends at its next await."""
    await asyncio.sleep(json.loads(task.payload)["seconds"])


async def hold(dbos, task):
    """Measures under the lease and tells DBOS the end; while DBOS cannot answer, again and again."""
    delivery, held = {"task_id": task.id, "lease_token": task.lease_token}, True
    measuring = asyncio.create_task(measure(task))
    while held:
        await asyncio.wait({measuring}, timeout=LEASE_SECONDS / 3)
        ended = measuring.done()
        try:
            if not ended:
                request = pb.ExtendTaskLeaseRequest(**delivery, seconds=LEASE_SECONDS)
                reply = await dbos.ExtendTaskLease(request, timeout=10)
            elif failure := measuring.exception():
                reply = await dbos.NackTask(pb.NackTaskRequest(**delivery, reason=repr(failure)[:1000]), timeout=10)
            else:
                reply = await dbos.AckTask(pb.AckTaskRequest(**delivery), timeout=10)
            held = reply.success and not ended  # refused: TASK_CANCELLED, or LEASE_LOST to another worker
            print(task.id, reply.error or ("ended" if ended else "goes on"), flush=True)
        except grpc.RpcError:
            await asyncio.sleep(1)
    measuring.cancel()
    await asyncio.wait({measuring})


async def work(dbos):
    """Takes one task at a time, and opens the stream again when it breaks."""
    order = pb.StreamDueTasksRequest(module_name=MODULE, max_inflight=1, visibility_timeout_seconds=LEASE_SECONDS)
    while True:
        try:
            async for reply in dbos.StreamDueTasks(order):
                if reply.error:
                    sys.exit(reply.error)
                for task in reply.tasks:
                    await hold(dbos, task)
        except grpc.RpcError:
            await asyncio.sleep(1)


async def main():
    async with grpc.aio.insecure_channel(ADDRESS, [(f"grpc.{name}", value) for name, value in CONNECTION.items()]) as channel:
        await asyncio.gather(*(work(dbos_pb2_grpc.DBOSStub(channel)) for _ in range(8)))


asyncio.run(main())
