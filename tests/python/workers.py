"""What is common to the tests of the workers that the README shows."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import grpc
from caller import unique
from repository import REPOSITORY
from servers import dbos_server, eventually, free_port, redis_server, running
from stubs import dbos_pb2 as pb
from stubs import dbos_pb2_grpc

WORKERS = REPOSITORY / "docs" / "workers"
AT_ONCE = 8
LEASE_SECONDS = 2
PATIENCE = 60


class AnyWorker:
    """Mixed into a TestCase that says by which command the worker starts. One worker and one DBOS serve all its tests."""

    command = None

    @classmethod
    def setUpClass(cls):
        cls.redis, _ = cls.enterClassContext(redis_server())
        cls.port, cls.dbos = free_port(), cls.enterClassContext(ExitStack())
        cls.start_dbos()
        address, cls.module = f"127.0.0.1:{cls.port}", unique("module")
        cls.stub = dbos_pb2_grpc.DBOSStub(cls.enterClassContext(grpc.insecure_channel(address)))
        environment = {**os.environ, "PYTHONPATH": str(Path(pb.__file__).parent)}
        cls.worker = cls.enterClassContext(running([*cls.command, address, cls.module, str(LEASE_SECONDS)], environment))

    @classmethod
    def start_dbos(cls):
        cls.dbos.enter_context(dbos_server(cls.port, REDIS_ADDR=cls.redis))

    def schedule(self, count=1, max_retries=1, **payload):
        ids = [unique("task") for _ in range(count)]
        tasks = [
            pb.Task(id=task_id, module_name=self.module, payload=json.dumps(payload).encode(), max_retries=max_retries)
            for task_id in ids
        ]
        reply = self.stub.ScheduleTasks(pb.ScheduleTasksRequest(tasks=tasks), timeout=10, wait_for_ready=True)
        self.assertTrue(all(answer.success for answer in reply.answers), reply)
        return ids

    def tasks(self, ids):
        return [self.stub.GetTask(pb.GetTaskRequest(task_id=task_id), timeout=10, wait_for_ready=True).task for task_id in ids]

    def until(self, status, ids):
        try:
            eventually(lambda: all(task.status == status for task in self.tasks(ids)), PATIENCE, f"the tasks are {status}")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.tasks(ids)}\n{self.worker.output()}") from None
        return self.tasks(ids)

    def test_survives_a_restart_of_dbos(self):
        begun_before = self.schedule(seconds=LEASE_SECONDS)
        self.until("inflight", begun_before)
        self.dbos.close()
        self.start_dbos()
        self.until("completed", begun_before + self.schedule(count=AT_ONCE, seconds=0))
