"""A caller's deadline holds also while DBOS cannot reach its store."""

import signal
import time
import unittest

import grpc
from servers import dbos_server, eventually, redis_server
from stubs import dbos_pb2 as pb
from stubs import dbos_pb2_grpc

NO_ANSWER = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)


class ADeadline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        redis_address, cls.redis = cls.enterClassContext(redis_server())
        address = cls.enterClassContext(dbos_server(REDIS_ADDR=redis_address))
        cls.stub = dbos_pb2_grpc.DBOSStub(cls.enterClassContext(grpc.insecure_channel(address)))

    def heartbeat(self, timeout):
        agent = pb.Agent(id="probe-7", hostname="probe-7.example.net", alive=True, last_seen=int(time.time()))
        return self.stub.RegisterAgent(pb.RegisterAgentRequest(agent=agent), timeout=timeout)

    def unanswered_after(self, timeout):
        begun = time.monotonic()
        with self.assertRaises(grpc.RpcError) as unanswered:
            self.heartbeat(timeout)
        self.assertIn(unanswered.exception.code(), NO_ANSWER)
        return time.monotonic() - begun

    def answered(self):
        try:
            return self.heartbeat(timeout=1).success
        except grpc.RpcError:
            return False

    def test_ends_a_call_while_redis_hangs_and_the_next_is_answered_after(self):
        self.assertTrue(self.heartbeat(timeout=10).success)
        self.redis.signal(signal.SIGSTOP)
        try:
            self.assertLess(self.unanswered_after(timeout=0.5), 1.5)
            self.assertLess(self.unanswered_after(timeout=60), 5)
        finally:
            self.redis.signal(signal.SIGCONT)
        eventually(self.answered, 5, "DBOS answers again after Redis does")


if __name__ == "__main__":
    unittest.main()
