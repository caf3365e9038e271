"""Runs the tests of the files that match (test_*.py); the last line is: N passed, N failed, N skipped."""

import signal
import sys
import unittest
from pathlib import Path


class Tally(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    @property
    def failed(self):
        return len(self.failures) + len(self.errors) + len(self.unexpectedSuccesses)


def main(pattern="test_*.py"):
    # Stopped from outside as by Ctrl-C: the servers end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tests = unittest.defaultTestLoader.discover(str(Path(__file__).parent), pattern)
    outcome = unittest.TextTestRunner(resultclass=Tally).run(tests)
    print(f"{outcome.passed} passed, {outcome.failed} failed, {len(outcome.skipped)} skipped")
    return 0 if outcome.passed > 0 and outcome.failed == 0 else 1


sys.exit(main(*sys.argv[1:]))
