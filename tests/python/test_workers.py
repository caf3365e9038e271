"""The workers for production: that they do what the README says of them."""

import sys
import unittest

from stubs import dbos_pb2 as pb
from workers import AT_ONCE, LEASE_SECONDS, WORKERS, AnyWorker


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


class InPython(AWorker, unittest.TestCase):
    command = (sys.executable, str(WORKERS / "worker.py"))


class InCSharp(AWorker, unittest.TestCase):
    command = ("dotnet", "run", "--project", str(WORKERS / "Worker"), "--no-build", "--")


if __name__ == "__main__":
    unittest.main()
