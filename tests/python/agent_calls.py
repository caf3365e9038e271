from caller import Caller, unique
from stubs import dbos_pb2 as pb


class AgentCalls(Caller):
    def heartbeat(self, agent_id, heartbeats, **told):
        known = {
            "id": agent_id,
            "hostname": "probe-7.example.net",
            "alive": True,
            "last_seen": self.now,
            "first_seen": self.now - 60,
            "config": {"modules": "m" * 5120, "routes": "ü" * 2560},
            "total_heartbeats": heartbeats,
        }
        return pb.RegisterAgentRequest(agent=pb.Agent(**{**known, **told}))

    def agent(self, agent_id):
        reply = self.send(pb.GetAgentRequest(agent_id=agent_id))
        self.assertTrue(reply.found, reply.error)
        return reply.agent

    def test_every_heartbeat_registers_the_agent_with_its_whole_config(self):
        agent_id = unique("agent")
        for heartbeats in (1, 2, 3):
            request = self.heartbeat(agent_id, heartbeats)
            self.accepted(request)
            self.assertEqual(request.agent, self.agent(agent_id))
        self.assertEqual(["agent_registered"], self.event_types())

    def test_a_python_server_that_restarted_takes_nothing_back(self):
        agent_id = unique("agent")
        self.accepted(self.heartbeat(agent_id, 500, first_seen=self.now - 9000))
        self.accepted(self.heartbeat(agent_id, 1, first_seen=self.now))
        agent = self.agent(agent_id)
        self.assertEqual(500, agent.total_heartbeats)
        self.assertEqual(self.now - 9000, agent.first_seen)

    def test_agents_are_listed_whole_and_by_id(self):
        ids = sorted(unique("agent") for _ in range(3))
        for agent_id in reversed(ids):
            self.accepted(self.heartbeat(agent_id, 1))
        reply = self.send(pb.ListAgentsRequest())
        listed = {agent.id: agent for agent in reply.agents}
        self.assertEqual(sorted(listed), list(listed))
        for agent_id in ids:
            self.assertEqual(self.heartbeat(agent_id, 1).agent, listed[agent_id])

    def test_an_unknown_agent_is_not_found(self):
        self.not_found(pb.GetAgentRequest(agent_id="nobody"), "nobody")

    def test_a_heartbeat_without_an_agent_is_refused(self):
        self.refused(pb.RegisterAgentRequest(), "agent must be given")
