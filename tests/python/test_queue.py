"""The calls of the task queue that came after the bare contract, on each store."""

import unittest

from queue_calls import QueueCalls


class OnTheEmbeddedStore(QueueCalls, unittest.TestCase):
    store = "embedded"


class OnRedis(QueueCalls, unittest.TestCase):
    store = "redis"


if __name__ == "__main__":
    unittest.main()
