"""The short workers: that the README shows them as they are, and that they do what it says of them."""

import re
import sys
import time
import unittest

from repository import REPOSITORY
from servers import eventually
from stubs import dbos_pb2 as pb
from workers import AT_ONCE, PATIENCE, WORKERS, AnyWorker

LEASE_SECONDS = 10


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
        time.sleep(LEASE_SECONDS)
        self.start_dbos()
        eventually(lambda: self.tasks([endless])[0].delivery_count == 2, PATIENCE, "the task is delivered again")
        self.assertTrue(self.stub.CancelTask(pb.CancelTaskRequest(task_id=endless), timeout=10).success)
        self.until("completed", self.schedule(seconds=0))


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
