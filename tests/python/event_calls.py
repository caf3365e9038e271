import grpc
from caller import Caller, unique
from stubs import dbos_pb2 as pb


class EventCalls(Caller):
    def test_each_kind_of_event_is_told_in_the_order_in_which_it_happened(self):
        agent_id, request_id, task_id = unique("agent"), unique("request"), unique("task")
        running = pb.ModuleState(agent_id=agent_id, module_name="ping", state="running", request_id=request_id)
        walk = (
            ("module_state_updated", pb.SetModuleStateRequest(state=running)),
            ("module_state_error", pb.SetModuleStateRequest(state=pb.ModuleState(agent_id=agent_id, state="asleep"))),
            ("result_stored", pb.StoreResultRequest(result=pb.MeasurementResult(id=request_id, agent_id=agent_id))),
            ("result_store_error", pb.StoreResultRequest(result=pb.MeasurementResult(agent_id=agent_id))),
            ("task_scheduled", pb.ScheduleTaskRequest(task=pb.Task(id=task_id, scheduled_at=1))),
            ("task_schedule_error", pb.ScheduleTaskRequest(task=pb.Task(id=unique("task"), scheduled_at=-1))),
            ("tasks_retrieved", pb.ListDueTasksRequest(timestamp=1)),
            ("task_list_error", pb.ListDueTasksRequest(timestamp=-1)),
            ("task_nacked", pb.NackTaskRequest(task_id=task_id, retry_delay_seconds=1)),
            ("task_nack_error", pb.NackTaskRequest(task_id=task_id)),
            ("tasks_retrieved", pb.ListDueTasksRequest(timestamp=self.now + 60)),
            ("task_acknowledged", pb.AckTaskRequest(task_id=task_id)),
            ("task_ack_error", pb.AckTaskRequest(task_id="nothing")),
        )
        for kind, request in walk:
            reply = self.send(request)
            self.assertEqual(kind.endswith("_error"), reply.error != "", f"{kind}: {reply}")
        self.assertEqual([kind for kind, _ in walk], self.event_types())

    def test_an_event_is_json_with_the_four_fields_of_the_contract(self):
        request_id, agent_id = unique("request"), unique("agent")
        self.accepted(pb.StoreResultRequest(result=pb.MeasurementResult(id=request_id, agent_id=agent_id)))
        (event,) = self.events()
        self.assertEqual("result_stored", event["type"])
        self.assertIn(request_id, event["message"])
        self.assertEqual((request_id, agent_id), (event["metadata"]["request_id"], event["metadata"]["agent_id"]))
        self.assertIs(int, type(event["timestamp"]))
        self.assertTrue(self.now <= event["timestamp"] <= self.now + 10)

    def test_the_limit_keeps_the_newest(self):
        agent_id, requests = unique("agent"), [unique("request") for _ in range(3)]
        for request_id in requests:
            self.accepted(pb.StoreResultRequest(result=pb.MeasurementResult(id=request_id, agent_id=agent_id)))
        reply = self.send(pb.GetEventsRequest(limit=1))
        self.assertEqual(1, len(reply.events))
        self.assertIn(requests[-1].encode(), reply.events[0])

    def test_bytes_that_are_no_message_end_in_a_status_and_hurt_nobody(self):
        call = self.channel.unary_unary("/dbos.DBOS/RegisterAgent")
        with self.assertRaises(grpc.RpcError) as refusal:
            call(b"\xff\xff\xff", timeout=10)
        self.assertIn(refusal.exception.code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT))
        self.assertEqual("", self.send(pb.GetEventsRequest(limit=1)).error)
