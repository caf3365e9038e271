"""What the Python server really sends, to DBOS on each store. Uses nothing that the bare contract lacks."""

import itertools
import unittest

from agent_calls import AgentCalls
from caller import unique
from event_calls import EventCalls
from module_state_calls import ModuleStateCalls
from result_calls import ResultCalls
from stubs import dbos_pb2 as pb
from task_calls import TaskCalls


class EveryCall(AgentCalls, ModuleStateCalls, ResultCalls, TaskCalls, EventCalls):
    def test_one_after_the_other_as_a_measurement_makes_them(self):
        request_id, agents = unique("request"), (self.agent_id, unique("agent"))
        for heartbeats in (1, 2):
            self.accepted(self.heartbeat(self.agent_id, heartbeats))
        for life in ("started", "running"):
            self.accepted(self.report(life))
        task_id = self.schedule()
        self.assertIn(task_id, self.take())
        self.accepted(self.report("running", request_id))
        self.accepted(self.report("completed", request_id))
        self.replayed(self.report("completed", request_id))
        for agent_id in agents:
            self.accepted(pb.StoreResultRequest(result=self.result(request_id, agent_id)))
        self.accepted(pb.AckTaskRequest(task_id=task_id))
        self.accepted(self.heartbeat(self.agent_id, 3))

        self.assertEqual(3, self.agent(self.agent_id).total_heartbeats)
        self.assertEqual("completed", self.stored_state(request_id).state)
        self.assertEqual("completed", self.stored_task(task_id).status)
        self.assertEqual([request_id] * 2, [self.stored_result(agent_id, request_id).id for agent_id in agents])
        self.assertEqual(
            [
                "agent_registered",
                "module_state_updated",
                "task_scheduled",
                "tasks_retrieved",
                "module_state_updated",
                "result_stored",
                "task_acknowledged",
            ],
            [kind for kind, _ in itertools.groupby(self.event_types())],
        )


class OnTheEmbeddedStore(EveryCall, unittest.TestCase):
    store = "embedded"


class OnRedis(EveryCall, unittest.TestCase):
    store = "redis"


if __name__ == "__main__":
    unittest.main()
