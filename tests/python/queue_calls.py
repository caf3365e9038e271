import time

from caller import Caller, unique
from stubs import dbos_pb2 as pb


class QueueCalls(Caller):
    """The calls of the task queue that the bare contract does not have. Each test has an agent of its own."""

    def setUp(self):
        super().setUp()
        self.agent_id = unique("agent")

    def new_task(self, **told):
        return pb.Task(**{"id": unique("task"), "agent_id": self.agent_id, "module_name": "ping", **told})

    def schedule_own(self, count=1, **told):
        tasks = [self.new_task(**told) for _ in range(count)]
        reply = self.send(pb.ScheduleTasksRequest(tasks=tasks))
        self.assertEqual([True] * count, [answer.success for answer in reply.answers], reply)
        return [task.id for task in tasks]

    def take_own(self, **told):
        reply = self.send(pb.ListDueTasksRequest(agent_id=self.agent_id, **told))
        self.assertEqual("", reply.error)
        return list(reply.tasks)

    def bury(self):
        """Schedules a task that may fail once, and fails at it twice."""
        (task_id,) = self.schedule_own(max_retries=1)
        for reason in ("no route", "no route again"):
            (held,) = self.take_own()
            self.accepted(pb.NackTaskRequest(task_id=held.id, lease_token=held.lease_token, retry_at_once=True, reason=reason))
        return task_id

    def dead_letters(self):
        reply = self.send(pb.ListDeadLetterTasksRequest(agent_id=self.agent_id))
        self.assertEqual("", reply.error)
        return list(reply.tasks)

    def test_an_agent_takes_its_own_tasks_alone(self):
        (own,) = self.schedule_own()
        self.schedule_own(agent_id=unique("other"))
        self.assertEqual([own], [task.id for task in self.take_own()])
        self.assertEqual([], self.take_own(module_name="trace"))

    def test_a_higher_priority_goes_first_then_the_oldest(self):
        (low,) = self.schedule_own(scheduled_at=self.now - 100)
        (newer,) = self.schedule_own(priority=9, scheduled_at=self.now - 10)
        (older,) = self.schedule_own(priority=9, scheduled_at=self.now - 20)
        self.assertEqual([older, newer, low], [task.id for task in self.take_own()])

    def test_many_are_scheduled_and_acknowledged_at_once_each_with_its_answer(self):
        good, bad = self.new_task(), self.new_task(priority=10)
        reply = self.send(pb.ScheduleTasksRequest(tasks=[good, bad, good]))
        self.assertTrue(reply.success)
        self.assertEqual([True, False, True], [answer.success for answer in reply.answers])
        self.assertIn("task.priority must be", reply.answers[1].error)

        (held,) = self.take_own()
        acks = [pb.AckTaskRequest(task_id=held.id, lease_token=held.lease_token), pb.AckTaskRequest(task_id="nothing")]
        reply = self.send(pb.AckTasksRequest(acks=acks))
        self.assertEqual([pb.ERROR_CODE_NONE, pb.ERROR_CODE_NOT_FOUND], [answer.code for answer in reply.answers])
        self.assertEqual("completed", self.stored_task(held.id).status)

    def test_a_task_is_acknowledged_with_its_result_and_state(self):
        (task_id,) = self.schedule_own()
        (held,) = self.take_own()
        ack = pb.AckTaskRequest(
            task_id=held.id,
            lease_token=held.lease_token,
            result=pb.MeasurementResult(module_name="ping", data=b'{"rtt": 12.5}'),
            state=pb.ModuleState(module_name="ping", state="completed", timestamp=self.now),
        )
        self.accepted(ack)
        self.replayed(ack)
        self.assertEqual("completed", self.stored_task(task_id).status)
        result = self.send(pb.GetResultRequest(agent_id=self.agent_id, request_id=task_id)).result
        self.assertEqual((task_id, b'{"rtt": 12.5}'), (result.id, result.data))
        self.assertEqual("completed", self.send(pb.GetModuleStateRequest(request_id=task_id)).state.state)
        self.assertEqual(["result_stored", "module_state_updated", "task_acknowledged"], self.event_types()[-3:])
        ack.result.data = b"other"
        self.refused(ack, "another result is stored")

    def test_a_task_is_returned_without_a_retry_or_without_a_failure(self):
        self.schedule_own()
        (held,) = self.take_own()
        self.accepted(pb.NackTaskRequest(task_id=held.id, lease_token=held.lease_token, release=True))
        (again,) = self.take_own()
        self.assertEqual((held.id, 0), (again.id, again.retry_count))
        state = pb.ModuleState(module_name="ping", state="error", error_message="no such host")
        nack = pb.NackTaskRequest(task_id=again.id, lease_token=again.lease_token, dead_letter=True, reason="no such host", state=state)
        self.accepted(nack)
        (dead,) = self.dead_letters()
        self.assertEqual((again.id, "rejected", "no such host"), (dead.id, dead.dead_letter_reason, dead.last_error))
        self.assertEqual("error", self.send(pb.GetModuleStateRequest(request_id=again.id)).state.state)
        self.refused(pb.NackTaskRequest(task_id=again.id, dead_letter=True, release=True), "dead_letter must be false together with release")

    def test_a_stream_delivers_what_becomes_due_and_no_more_than_it_may(self):
        stream = self.stub.StreamDueTasks(pb.StreamDueTasksRequest(agent_id=self.agent_id, max_inflight=2), timeout=20)
        ids = self.schedule_own(3, scheduled_at=int(time.time()) + 1)
        delivered = []
        for reply in stream:
            delivered += reply.tasks
            if len(delivered) == 2:
                self.assertEqual(1, len(self.send(pb.ListTasksRequest(agent_id=self.agent_id, status="pending")).tasks))
                self.accepted(pb.AckTaskRequest(task_id=delivered[0].id, lease_token=delivered[0].lease_token))
            if len(delivered) == 3:
                break
        stream.cancel()
        self.assertEqual(sorted(ids), sorted(task.id for task in delivered))

    def test_a_refused_stream_says_why_and_ends(self):
        (reply,) = self.stub.StreamDueTasks(pb.StreamDueTasksRequest(max_inflight=-1), timeout=10)
        self.assertEqual(pb.ERROR_CODE_VALIDATION, reply.code)
        self.assertIn("max_inflight must be", reply.error)

    def test_a_holder_extends_its_lease_until_it_is_told_that_its_task_was_cancelled(self):
        self.schedule_own()
        (held,) = self.take_own(visibility_timeout_seconds=10)
        extend = pb.ExtendTaskLeaseRequest(task_id=held.id, lease_token=held.lease_token, seconds=600)
        self.accepted(extend)
        self.assertGreaterEqual(self.stored_task(held.id).visibility_time, self.now + 599)
        self.accepted(pb.CancelTaskRequest(task_id=held.id, reason="no longer wanted"))
        reply = self.send(extend)
        self.assertEqual((False, True, pb.ERROR_CODE_TASK_CANCELLED), (reply.success, reply.cancelled, reply.code))
        self.refused(pb.AckTaskRequest(task_id=held.id, lease_token=held.lease_token), "cancelled")
        self.assertEqual("cancelled", self.stored_task(held.id).status)

    def test_a_dead_letter_is_listed_and_requeued(self):
        task_id = self.bury()
        (dead,) = self.dead_letters()
        self.assertEqual((task_id, "failed", "max_retries"), (dead.id, dead.status, dead.dead_letter_reason))
        self.assertEqual(["no route", "no route again"], [failure.error for failure in dead.history])
        reply = self.send(pb.RequeueDeadLetterTasksRequest(task_ids=[task_id, "nothing"]))
        self.assertEqual((True, 1, ["nothing"]), (reply.success, reply.requeued, list(reply.not_requeued)))
        (again,) = self.take_own()
        self.assertEqual((task_id, 3, 0), (again.id, again.delivery_count, again.failure_count))
        self.assertGreater(again.lease_token, again.history[-1].lease_token)

    def test_a_dead_letter_is_deleted(self):
        task_id = self.bury()
        self.accepted(pb.DeleteDeadLetterTaskRequest(task_id=task_id))
        self.assertEqual([], self.dead_letters())
        self.not_found(pb.GetTaskRequest(task_id=task_id), task_id)

    def test_tasks_are_listed_page_by_page_and_counted(self):
        ids = self.schedule_own(3, scheduled_at=self.now + 600)
        request, listed = pb.ListTasksRequest(agent_id=self.agent_id, status="pending", page_size=2), []
        while True:
            reply = self.send(request)
            listed += [task.id for task in reply.tasks]
            request.page_token = reply.next_page_token
            if not request.page_token:
                break
        self.assertEqual(sorted(ids), sorted(listed))
        stats = self.send(pb.GetQueueStatsRequest())
        self.assertGreaterEqual(stats.pending, 3)
        self.assertGreaterEqual(stats.totals["scheduled"], 3)
        self.assertGreater(stats.scheduled_per_second, 0)

    def test_the_queue_is_consistent(self):
        self.schedule_own(3, scheduled_at=self.now + 600)
        replies = list(self.stub.CheckConsistency(pb.CheckConsistencyRequest(), timeout=20))
        self.assertEqual([], [found for reply in replies for found in reply.inconsistencies])
        self.assertTrue(replies[-1].done)
        self.assertGreaterEqual(replies[-1].checked, 3)
