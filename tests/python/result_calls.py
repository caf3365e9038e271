import json
import time

from caller import Caller, unique
from stubs import dbos_pb2 as pb


class ResultCalls(Caller):
    def result(self, request_id, agent_id, rtt_ms=12.5):
        """As the Python server sends it: fields 6 to 11 unset."""
        return pb.MeasurementResult(
            id=request_id,
            agent_id=agent_id,
            module_name="unknown",
            data=json.dumps({"rtt_ms": rtt_ms, "target": "münchen.example"}, ensure_ascii=False).encode("utf-8"),
            timestamp=self.now,
        )

    def stored_result(self, agent_id, request_id):
        reply = self.send(pb.GetResultRequest(agent_id=agent_id, request_id=request_id))
        self.assertTrue(reply.found, reply.error)
        return reply.result

    def test_a_result_is_kept_and_what_the_caller_left_out_is_filled_in(self):
        agent_id, request_id = unique("agent"), unique("request")
        sent = self.result(request_id, agent_id)
        self.accepted(pb.StoreResultRequest(result=sent))
        kept = self.stored_result(agent_id, request_id)
        self.assertTrue(self.now <= kept.received_at <= time.time(), kept.received_at)
        self.assertNotEqual("", kept.dbos_server_id)
        self.assertEqual("grpc", kept.ingest_source)
        for filled in ("received_at", "dbos_server_id", "ingest_source"):
            kept.ClearField(filled)
        self.assertEqual(sent, kept)

    def test_the_same_request_id_from_two_agents_is_two_results(self):
        request_id, agents = unique("request"), (unique("agent"), unique("agent"))
        for rtt_ms, agent_id in enumerate(agents):
            self.accepted(pb.StoreResultRequest(result=self.result(request_id, agent_id, rtt_ms)))
        for rtt_ms, agent_id in enumerate(agents):
            self.assertEqual(self.result(request_id, agent_id, rtt_ms).data, self.stored_result(agent_id, request_id).data)

    def test_a_result_sent_again_is_stored_once(self):
        agent_id, request_id = unique("agent"), unique("request")
        request = pb.StoreResultRequest(result=self.result(request_id, agent_id))
        self.accepted(request)
        self.replayed(request)
        self.assertEqual(["result_stored"], self.event_types())

    def test_the_results_of_an_agent_are_listed_newest_first(self):
        agent_id, requests = unique("agent"), [unique("request") for _ in range(3)]
        for request_id in requests:
            self.accepted(pb.StoreResultRequest(result=self.result(request_id, agent_id)))
        self.accepted(pb.StoreResultRequest(result=self.result(requests[0], unique("other"))))
        reply = self.send(pb.ListResultsRequest(agent_id=agent_id))
        self.assertEqual(requests[::-1], [result.id for result in reply.results])
        self.assertEqual({agent_id}, {result.agent_id for result in reply.results})

    def test_an_unknown_result_is_not_found(self):
        self.not_found(pb.GetResultRequest(agent_id="nobody", request_id="nothing"), "nobody", "nothing")

    def test_a_store_without_a_result_is_refused(self):
        self.refused(pb.StoreResultRequest(), "result must be given")
