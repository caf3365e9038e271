"""The smoke client walks through a server, a used one too, and says what is wrong where it cannot."""

import subprocess
import unittest

from repository import REPOSITORY
from servers import dbos_server, free_port

PATIENCE = 120


def smoke_client(*arguments):
    command = ["dotnet", "run", "--project", "tests/Dbos.SmokeClient", "--no-build", "--", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class TheSmokeClient(unittest.TestCase):
    def test_finds_nothing_wrong_on_a_new_server_and_on_a_used_one(self):
        with dbos_server() as address:
            for visit in ("new", "used"):
                with self.subTest(visit):
                    walk = smoke_client(address)
                    self.assertEqual(0, walk.returncode, walk.stdout + walk.stderr)
                    self.assertNotIn("WRONG", walk.stdout)
                    self.assertGreater(walk.stdout.count("\nok "), 15, walk.stdout)

    def test_says_in_one_sentence_that_nobody_is_there(self):
        address = f"127.0.0.1:{free_port()}"
        walk = smoke_client(address)
        self.assertNotEqual(0, walk.returncode)
        self.assertRegex(walk.stderr, rf"^[^\n]*{address}[^\n]*\n$")

    def test_says_how_it_is_called(self):
        for arguments in ((), ("not an address",), ("localhost:50051", "more")):
            with self.subTest(arguments):
                walk = smoke_client(*arguments)
                self.assertNotEqual(0, walk.returncode)
                self.assertRegex(walk.stderr, r"^[^\n]*localhost:50051[^\n]*\n$")


if __name__ == "__main__":
    unittest.main()
