"""The smoke client walks through a server, a used one too, and says what is wrong where it cannot."""

import subprocess
import unittest

import grpc
from repository import REPOSITORY
from servers import dbos_server, free_port
from stubs import dbos_pb2 as pb
from stubs import dbos_pb2_grpc

PATIENCE = 120


def smoke_client(*arguments):
    command = ["dotnet", "run", "--project", "tests/Dbos.SmokeClient", "--no-build", "--", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class ASmokeTest(unittest.TestCase):
    def walk(self, address):
        walk = smoke_client(address)
        self.assertEqual(0, walk.returncode, walk.stdout + walk.stderr)
        self.assertNotIn("WRONG", walk.stdout)
        self.assertGreater(walk.stdout.count("\nok "), 30, walk.stdout)

    def test_finds_nothing_wrong_on_a_new_server_and_on_a_used_one(self):
        address = self.enterContext(dbos_server())
        for visit in ("new", "used"):
            with self.subTest(visit):
                self.walk(address)

    def test_leaves_the_due_tasks_of_others_alone(self):
        address = self.enterContext(dbos_server())
        stub = dbos_pb2_grpc.DBOSStub(self.enterContext(grpc.insecure_channel(address)))
        request = pb.ScheduleTaskRequest(task=pb.Task(id="others", max_retries=1))
        self.assertTrue(stub.ScheduleTask(request, timeout=10).success)
        self.walk(address)
        task = stub.GetTask(pb.GetTaskRequest(task_id="others"), timeout=10).task
        self.assertEqual(("pending", 0), (task.status, task.delivery_count))

    def test_marks_what_is_wrong_and_ends_so(self):
        address = self.enterContext(dbos_server(MAX_RESULT_BYTES="1"))
        walk = smoke_client(address)
        self.assertEqual(1, walk.returncode, walk.stdout + walk.stderr)
        self.assertRegex(walk.stdout, r"\nWRONG +store its result +.*at most 1 bytes")
        self.assertRegex(walk.stdout, r"\nok +list the states .*\n")


class WithoutAServer(unittest.TestCase):
    def test_says_in_one_sentence_that_nobody_is_there(self):
        address = f"127.0.0.1:{free_port()}"
        self.refused_with_one_line(address, address)

    def test_says_how_it_is_called(self):
        for arguments in ((), ("not an address",), ("localhost:50051", "more")):
            with self.subTest(arguments):
                self.refused_with_one_line("localhost:50051", *arguments)

    def refused_with_one_line(self, told, *arguments):
        walk = smoke_client(*arguments)
        self.assertNotEqual(0, walk.returncode)
        self.assertEqual(("", 1), (walk.stdout, walk.stderr.count("\n")), walk.stderr)
        self.assertIn(told, walk.stderr)


if __name__ == "__main__":
    unittest.main()
