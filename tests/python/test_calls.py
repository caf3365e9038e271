"""What the Python server really sends, to DBOS on each store. Uses nothing that the bare contract lacks."""

import unittest

from agent_calls import AgentCalls
from event_calls import EventCalls
from module_state_calls import ModuleStateCalls
from result_calls import ResultCalls
from task_calls import TaskCalls


class EveryCall(AgentCalls, ModuleStateCalls, ResultCalls, TaskCalls, EventCalls):
    pass


class OnTheEmbeddedStore(EveryCall, unittest.TestCase):
    store = "embedded"


class OnRedis(EveryCall, unittest.TestCase):
    store = "redis"


if __name__ == "__main__":
    unittest.main()
