"""What the tests of the calls share: a server for all of them, and calls as the Python server makes them."""

import json
import time
import uuid

import grpc
from servers import dbos_on
from stubs import dbos_pb2 as pb
from stubs import dbos_pb2_grpc


class Caller:
    """Mixed into a TestCase. Each test has a trace of its own, so that its events can be told from those of the others."""

    store = None

    @classmethod
    def setUpClass(cls):
        address = cls.enterClassContext(dbos_on(cls.store))
        cls.channel = cls.enterClassContext(grpc.insecure_channel(address))
        cls.stub = dbos_pb2_grpc.DBOSStub(cls.channel)

    def setUp(self):
        self.trace_id = uuid.uuid4().hex
        self.now = int(time.time())

    def send(self, request, timeout=10):
        """Makes the call that the request is named after, with a deadline and the trace context."""
        rpc = getattr(self.stub, type(request).__name__.removesuffix("Request"))
        metadata = (
            ("traceparent", f"00-{self.trace_id}-00f067aa0ba902b7-01"),
            ("tracestate", "imn=t61rcWkgMzE"),
            ("baggage", "agent=probe-7,network=imn"),
        )
        return rpc(request, timeout=timeout, metadata=metadata)

    def accepted(self, request):
        reply = self.send(request)
        self.assertTrue(reply.success, reply.error)
        self.assertEqual("", reply.error)
        self.assertFalse(told_as_duplicate(reply, otherwise=False))

    def replayed(self, request):
        reply = self.send(request)
        self.assertTrue(reply.success, reply.error)
        self.assertTrue(told_as_duplicate(reply, otherwise=True))

    def refused(self, request, *words):
        """Status OK, and a sentence that holds the words."""
        reply = self.send(request)
        self.assertFalse(reply.success)
        for word in words:
            self.assertIn(word, reply.error)

    def not_found(self, request, *words):
        reply = self.send(request)
        self.assertFalse(reply.found)
        for word in words:
            self.assertIn(word, reply.error)

    def stored_task(self, task_id):
        reply = self.send(pb.GetTaskRequest(task_id=task_id))
        self.assertTrue(reply.found, reply.error)
        return reply.task

    def events(self):
        """Of this test's trace, newest first."""
        reply = self.send(pb.GetEventsRequest(limit=1000))
        self.assertEqual("", reply.error)
        told = [json.loads(event.decode("utf-8")) for event in reply.events]
        return [event for event in told if event["trace_id"] == self.trace_id]

    def event_types(self):
        """Oldest first."""
        return [event["type"] for event in reversed(self.events())]


def told_as_duplicate(reply, otherwise):
    """Stubs made of the bare contract do not know the field."""
    return reply.duplicate if "duplicate" in reply.DESCRIPTOR.fields_by_name else otherwise


def unique(kind):
    return f"{kind}-{uuid.uuid4().hex[:12]}"
