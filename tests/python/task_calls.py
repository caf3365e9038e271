import time

from caller import Caller, unique
from servers import eventually
from stubs import dbos_pb2 as pb


class TaskCalls(Caller):
    def schedule(self, delay=0, agent_id="probe-7"):
        task_id = unique("task")
        self.accepted(pb.ScheduleTaskRequest(task=self.task(task_id, delay, agent_id)))
        return task_id

    def task(self, task_id, delay=0, agent_id="probe-7"):
        return pb.Task(
            id=task_id,
            agent_id=agent_id,
            module_name="ping",
            payload=b'{"target": "192.0.2.1"}',
            scheduled_at=self.now + delay,
            created_at=self.now,
            status="pending",
        )

    def take(self):
        """As a worker does: what comes is taken."""
        reply = self.send(pb.ListDueTasksRequest(timestamp=int(time.time())))
        self.assertEqual("", reply.error)
        return [task.id for task in reply.tasks]

    def test_a_due_task_is_taken_once(self):
        task_id = self.schedule()
        self.assertEqual("pending", self.stored_task(task_id).status)
        self.assertIn(task_id, self.take())
        self.assertEqual([], self.take())
        taken = self.stored_task(task_id)
        self.assertEqual("inflight", taken.status)
        self.assertEqual(self.task(task_id).payload, taken.payload)
        self.assertGreater(taken.visibility_time, time.time())

    def test_tasks_come_oldest_first_and_none_before_its_time(self):
        # An agent that was not served before: no turn of others stands between.
        agent_id = unique("agent")
        newer, older, later = (self.schedule(delay, agent_id) for delay in (-10, -20, 3600))
        taken = self.take()
        self.assertEqual([older, newer], [task_id for task_id in taken if task_id in (newer, older, later)])
        self.assertEqual("pending", self.stored_task(later).status)

    def test_a_task_acknowledged_without_a_token_is_completed(self):
        task_id = self.schedule()
        self.take()
        self.accepted(pb.AckTaskRequest(task_id=task_id))
        self.replayed(pb.AckTaskRequest(task_id=task_id))
        self.assertEqual("completed", self.stored_task(task_id).status)
        self.assertNotIn(task_id, self.take())

    def test_a_task_negatively_acknowledged_without_a_token_returns_after_a_short_rest(self):
        task_id = self.schedule()
        self.take()
        self.accepted(pb.NackTaskRequest(task_id=task_id))
        returned = self.stored_task(task_id)
        self.assertEqual(("pending", 1), (returned.status, returned.retry_count))
        eventually(lambda: task_id in self.take(), 5, "the task is due again")

    def test_a_task_negatively_acknowledged_with_a_delay_returns_after_it(self):
        task_id = self.schedule()
        self.take()
        self.accepted(pb.NackTaskRequest(task_id=task_id, retry_delay_seconds=600))
        self.assertNotIn(task_id, self.take())
        self.assertGreaterEqual(self.stored_task(task_id).visibility_time, self.now + 600)

    def test_a_task_scheduled_again_is_one_task(self):
        task_id = self.schedule(delay=3600)
        self.replayed(pb.ScheduleTaskRequest(task=self.task(task_id, delay=3600)))
        self.assertEqual(["task_scheduled"], self.event_types())

    def test_an_unknown_task_is_not_found_and_cannot_be_ended(self):
        self.not_found(pb.GetTaskRequest(task_id="nothing"), "nothing")
        self.refused(pb.AckTaskRequest(task_id="nothing"), "nothing")
        self.refused(pb.NackTaskRequest(task_id="nothing"), "nothing")

    def test_a_schedule_without_a_task_is_refused(self):
        self.refused(pb.ScheduleTaskRequest(), "task must be given")
