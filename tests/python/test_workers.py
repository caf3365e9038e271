"""The workers that the README shows: that it shows them as they are, and that they do what it says of them."""

import json
import os
import re
import sys
import time
import unittest
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
SHORT_LEASE_SECONDS = 10  # of the short workers
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


class AWorker(AnyWorker):
    """Takes eight at a time, and extends leases of two seconds."""

    def test_completes_each_of_more_tasks_than_it_takes_at_once(self):
        ids = self.schedule(count=3 * AT_ONCE, seconds=0.1)
        self.assertEqual({1}, {task.delivery_count for task in self.until("completed", ids)})

    def test_holds_a_task_that_takes_longer_than_the_lease(self):
        (task,) = self.until("completed", self.schedule(seconds=2.5 * LEASE_SECONDS))
        self.assertEqual((1, 0), (task.delivery_count, task.expiry_count))

    def test_tells_how_a_task_failed(self):
        (task,) = self.until("failed", self.schedule(max_retries=1, nothing=True))
        self.assertEqual((2, 0, "max_retries"), (task.failure_count, task.expiry_count, task.dead_letter_reason))
        self.assertNotEqual("", task.last_error)

    def test_stops_cancelled_tasks_and_takes_others_in_their_place(self):
        endless = self.schedule(count=AT_ONCE, seconds=3600)
        self.until("inflight", endless)
        for task_id in endless:
            self.assertTrue(self.stub.CancelTask(pb.CancelTaskRequest(task_id=task_id), timeout=10).success)
        self.until("completed", self.schedule(count=AT_ONCE, seconds=0))
        self.assertEqual({("cancelled", 0)}, {(task.status, task.expiry_count) for task in self.tasks(endless)})
        for task_id in endless:
            self.assertIn(f"task '{task_id}' was cancelled", self.worker.output())


class AShortWorker(AnyWorker):
    """Takes one at a time, each leased for ten seconds."""

    def test_completes_tasks(self):
        ids = self.schedule(count=AT_ONCE, seconds=0.1)
        self.assertEqual({1}, {task.delivery_count for task in self.until("completed", ids)})

    def test_tells_how_a_task_failed(self):
        (task,) = self.until("failed", self.schedule(max_retries=1, nothing=True))
        self.assertEqual((2, 0, "max_retries"), (task.failure_count, task.expiry_count, task.dead_letter_reason))
        self.assertNotEqual("", task.last_error)

    def test_stops_a_cancelled_task_and_takes_the_next(self):
        endless = self.schedule(seconds=3600)
        self.until("inflight", endless)
        self.assertTrue(self.stub.CancelTask(pb.CancelTaskRequest(task_id=endless[0]), timeout=10).success)
        self.until("completed", self.schedule(seconds=0))
        self.assertEqual(["cancelled"], [task.status for task in self.tasks(endless)])

    def test_stops_a_task_whose_delivery_another_ended_and_takes_the_next(self):
        endless = self.schedule(seconds=3600)
        self.until("inflight", endless)
        self.assertTrue(self.stub.AckTask(pb.AckTaskRequest(task_id=endless[0]), timeout=10).success)
        self.until("completed", self.schedule(seconds=0))

    def test_stops_a_task_that_it_cannot_hold_while_dbos_is_away_and_takes_it_again(self):
        (endless,) = self.schedule(seconds=3600)
        self.until("inflight", [endless])
        self.dbos.close()
        time.sleep(SHORT_LEASE_SECONDS)
        self.start_dbos()
        eventually(lambda: self.tasks([endless])[0].delivery_count == 2, PATIENCE, "the task is delivered again")
        self.assertTrue(self.stub.CancelTask(pb.CancelTaskRequest(task_id=endless), timeout=10).success)
        self.until("completed", self.schedule(seconds=0))


class InPython(AWorker, unittest.TestCase):
    command = (sys.executable, str(WORKERS / "worker.py"))


class InCSharp(AWorker, unittest.TestCase):
    command = ("dotnet", "run", "--project", str(WORKERS / "Worker"), "--no-build", "--")


class ShortInPython(AShortWorker, unittest.TestCase):
    command = (sys.executable, str(WORKERS / "short_worker.py"))


class ShortInCSharp(AShortWorker, unittest.TestCase):
    command = ("dotnet", "run", "--project", str(WORKERS / "ShortWorker"), "--no-build", "--")


class TheReadme(unittest.TestCase):
    def test_shows_the_short_workers_as_they_are(self):
        readme = (REPOSITORY / "README.md").read_text()
        for language, file in (("python", WORKERS / "short_worker.py"), ("csharp", WORKERS / "ShortWorker" / "Program.cs")):
            with self.subTest(language):
                self.assertEqual([file.read_text()], re.findall(rf"```{language}\n(.*?)```\n", readme, re.DOTALL))


if __name__ == "__main__":
    unittest.main()
