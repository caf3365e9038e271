"""What happened, to a request, and when: the calls that an operator asks, on each store."""

import json
import unittest

from caller import Caller, unique
from stubs import dbos_pb2 as pb


class Story(Caller):
    def measured(self):
        """A request scheduled as a task, taken, measured by two agents and acknowledged."""
        agent_id, request_id = unique("agent"), unique("request")
        self.accepted(pb.ScheduleTaskRequest(task=pb.Task(id=request_id, agent_id=agent_id, module_name="ping")))
        (task,) = self.send(pb.ListDueTasksRequest(agent_id=agent_id)).tasks
        for agent in (agent_id, f"{agent_id}-b"):
            self.accepted(pb.StoreResultRequest(result=pb.MeasurementResult(id=request_id, agent_id=agent)))
        self.accepted(pb.AckTaskRequest(task_id=request_id, lease_token=task.lease_token))
        return agent_id, request_id

    def test_filters_find_what_happened_to_one_request_page_by_page(self):
        agent_id, request_id = self.measured()
        self.measured()
        first = self.send(pb.GetEventsRequest(limit=3, request_id=request_id, since=self.now - 60))
        second = self.send(pb.GetEventsRequest(request_id=request_id, page_token=first.next_page_token))
        self.assertEqual(
            ["task_acknowledged", "result_stored", "result_stored", "tasks_retrieved", "task_scheduled"],
            [json.loads(event)["type"] for event in (*first.events, *second.events)],
        )
        self.assertEqual((3, "", 0), (len(first.events), second.next_page_token, second.searched_back_to))
        self.assertEqual(1, len(self.send(pb.GetEventsRequest(agent_id=agent_id, type="result_stored")).events))
        self.assertEqual(0, len(self.send(pb.GetEventsRequest(request_id=request_id, since=self.now + 3600)).events))

    def test_the_timeline_of_a_request_tells_all_of_it_in_order(self):
        agent_id, request_id = self.measured()
        timeline = self.send(pb.GetRequestTimelineRequest(request_id=request_id))
        self.assertTrue(timeline.found, timeline.error)
        self.assertEqual(
            ["task_scheduled", "tasks_retrieved", "result_stored", "result_stored", "task_acknowledged"],
            [entry.kind for entry in timeline.entries],
        )
        self.assertEqual([agent_id, f"{agent_id}-b"], [result.agent_id for result in timeline.results])
        self.assertEqual("completed", timeline.task.status)
        self.not_found(pb.GetRequestTimelineRequest(request_id="nothing"), "nothing is known")

    def test_an_agent_that_is_reported_gone_is_listed_as_lost_and_its_history_says_since_when(self):
        agent_id = unique("agent")
        for alive in (True, False):
            self.accepted(pb.RegisterAgentRequest(agent=pb.Agent(id=agent_id, alive=alive)))
        listed = {
            kind: [agent.id for agent in self.send(pb.ListAgentsRequest(filter=kind)).agents if agent.id == agent_id]
            for kind in (pb.AGENT_FILTER_ALL, pb.AGENT_FILTER_ALIVE, pb.AGENT_FILTER_LOST)
        }
        self.assertEqual({pb.AGENT_FILTER_ALL: [agent_id], pb.AGENT_FILTER_ALIVE: [], pb.AGENT_FILTER_LOST: [agent_id]}, listed)
        history = self.send(pb.GetAgentHistoryRequest(agent_id=agent_id, window_seconds=60))
        self.assertEqual(
            [(True, "registered", False), (False, "reported", True)],
            [(period.connected, period.cause, period.until_ms == 0) for period in history.periods],
        )
        self.assertTrue(0 <= history.uptime <= 1 and self.now <= history.known_since <= history.until)
        self.not_found(pb.GetAgentHistoryRequest(agent_id="nobody"), "nobody")

    def test_a_watch_that_broke_goes_on_after_its_token_or_after_an_event(self):
        watch = self.send(pb.WatchEventsRequest(type="result_stored"))
        token = next(watch).resume_token
        watch.cancel()
        _, first = self.measured()
        _, second = self.measured()
        seen = self.results_seen(pb.WatchEventsRequest(type="result_stored", after=token), 4)
        self.assertEqual([first, first, second, second], [event["metadata"]["request_id"] for event in seen])
        again = self.results_seen(pb.WatchEventsRequest(type="result_stored", after=seen[1]["id"]), 2)
        self.assertEqual([second, second], [event["metadata"]["request_id"] for event in again])

    def results_seen(self, request, count):
        watch, seen = self.send(request, timeout=20), []
        while len(seen) < count:
            reply = next(watch)
            self.assertEqual("", reply.error)
            seen += [json.loads(event) for event in reply.events]
        watch.cancel()
        return seen

    def test_who_watches_agents_is_told_of_all_and_then_of_those_that_are_lost_and_back(self):
        agent_id = unique("agent")
        self.accepted(pb.RegisterAgentRequest(agent=pb.Agent(id=agent_id, alive=True)))
        watch, told = self.send(pb.WatchAgentsRequest(), timeout=20), []
        for alive in (None, False, True):
            if alive is not None:
                self.accepted(pb.RegisterAgentRequest(agent=pb.Agent(id=agent_id, alive=alive)))
            told += [(agent.alive, agent.cause) for agent in next(watch).agents if agent.agent_id == agent_id]
        watch.cancel()
        self.assertEqual([(True, "registered"), (False, "reported"), (True, "heard")], told)


class OnRedis(Story, unittest.TestCase):
    store = "redis"


class Embedded(Story, unittest.TestCase):
    store = "embedded"
