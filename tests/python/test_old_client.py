"""A client whose stubs know only the contract's own fields makes every call of test_calls."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

from repository import CONTRACT


class AnOldClient(unittest.TestCase):
    def test_makes_every_call(self):
        # In a process of its own: one process can know one description of package dbos only.
        client = subprocess.run(
            [sys.executable, Path(__file__).parent, "test_calls.py"],
            env={**os.environ, "DBOS_TEST_PROTO": str(CONTRACT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(0, client.returncode, client.stdout + client.stderr)
        self.assertRegex(client.stdout, r"\n?[1-9][0-9]* passed, 0 failed, 0 skipped\n$")


if __name__ == "__main__":
    unittest.main()
