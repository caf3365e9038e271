"""Takes the tasks of one module, one at a time: short_worker.py ADDRESS MODULE"""
import json, sys, threading, time
import grpc, dbos_pb2 as pb, dbos_pb2_grpc

dbos = dbos_pb2_grpc.DBOSStub(grpc.insecure_channel(sys.argv[1]))

def measure(task, stop):  # yours: raises what went wrong; ends early when stop is set
    stop.wait(json.loads(task.payload)["seconds"])

def extend(lease, stop):  # refused: the task was cancelled, or the lease was lost to another worker
    order = pb.ExtendTaskLeaseRequest(**lease, seconds=10)
    try:
        while not stop.wait(3) and dbos.ExtendTaskLease(order, timeout=5, wait_for_ready=True).success: pass
    except grpc.RpcError: pass  # DBOS is away for too long: the lease is lost
    stop.set()

while True:
    try:
        for reply in dbos.StreamDueTasks(pb.StreamDueTasksRequest(module_name=sys.argv[2], visibility_timeout_seconds=10)):
            for task in reply.tasks:
                lease, stop = {"task_id": task.id, "lease_token": task.lease_token}, threading.Event()
                threading.Thread(target=extend, args=(lease, stop)).start()
                try: measure(task, stop)
                except Exception as why: dbos.NackTask(pb.NackTaskRequest(**lease, reason=repr(why)))
                else: stop.is_set() or dbos.AckTask(pb.AckTaskRequest(**lease))
                finally: stop.set()
    except grpc.RpcError: time.sleep(1)  # DBOS is away; what was held comes again when its lease has expired
