from caller import Caller, unique
from stubs import dbos_pb2 as pb


class ModuleStateCalls(Caller):
    def setUp(self):
        super().setUp()
        self.agent_id = unique("agent")

    def report(self, state, request_id="", **told):
        known = {
            "agent_id": self.agent_id,
            "module_name": "ping",
            "state": state,
            "timestamp": self.now,
            "request_id": request_id,
            "version": 0,
        }
        return pb.SetModuleStateRequest(state=pb.ModuleState(**{**known, **told}))

    def stored_state(self, request_id):
        reply = self.send(pb.GetModuleStateRequest(request_id=request_id))
        self.assertTrue(reply.found, reply.error)
        return reply.state

    def states_of(self, module_name):
        reply = self.send(pb.ListModuleStatesRequest(agent_id=self.agent_id, module_name=module_name))
        self.assertEqual("", reply.error)
        return list(reply.states)

    def test_a_request_runs_and_completes(self):
        request_id = unique("request")
        self.accepted(self.report("running", request_id))
        self.accepted(self.report("completed", request_id, details={"packets": "10", "note": "größer"}))
        wanted = self.report("completed", request_id, details={"packets": "10", "note": "größer"}, version=2).state
        self.assertEqual(wanted, self.stored_state(request_id))
        self.assertEqual([wanted], self.states_of("ping"))

    def test_a_request_runs_and_ends_in_an_error(self):
        request_id = unique("request")
        self.accepted(self.report("running", request_id))
        self.accepted(self.report("error", request_id, error_message="host unreachable"))
        state = self.stored_state(request_id)
        self.assertEqual(("error", "host unreachable", 2), (state.state, state.error_message, state.version))

    def test_running_received_twice_is_a_replay(self):
        request_id = unique("request")
        self.accepted(self.report("running", request_id))
        self.replayed(self.report("running", request_id))
        self.assertEqual(["module_state_updated"], self.event_types())

    def test_running_received_again_after_completed_is_refused_whatever_its_timestamp(self):
        for later in (0, 1):
            request_id = unique("request")
            self.accepted(self.report("running", request_id))
            self.accepted(self.report("completed", request_id))
            self.refused(self.report("running", request_id, timestamp=self.now + later), request_id, "completed", "terminal")
            self.assertEqual("completed", self.stored_state(request_id).state)

    def test_a_request_begins_with_an_error(self):
        request_id = unique("request")
        self.accepted(self.report("error", request_id, error_message="bad input"))
        self.assertEqual(("error", 1), (self.stored_state(request_id).state, self.stored_state(request_id).version))

    def test_each_agent_of_a_request_has_a_state_of_its_own(self):
        request_id, other = unique("request"), unique("agent")
        self.accepted(self.report("running", request_id))
        self.accepted(self.report("running", request_id, agent_id=other))
        self.accepted(self.report("completed", request_id))
        self.assertEqual(("completed", self.agent_id), (self.stored_state(request_id).state, self.stored_state(request_id).agent_id))
        (state,) = self.send(pb.ListModuleStatesRequest(agent_id=other, module_name="ping")).states
        self.assertEqual(("running", request_id, 1), (state.state, state.request_id, state.version))

    def test_a_module_without_request_id_reports_in_any_order(self):
        for state in ("started", "completed", "running", "error", "stopped", "started"):
            self.accepted(self.report(state, module_name="life"))
        self.assertEqual(["started"], [state.state for state in self.states_of("life")])

    def test_a_module_without_request_id_begins_again_within_the_same_second(self):
        for version, state in enumerate(("started", "running", "completed", "started"), start=1):
            self.accepted(self.report(state, module_name="life"))
            self.assertEqual([self.report(state, module_name="life", version=version).state], self.states_of("life"))

    def test_a_module_without_request_id_ends_in_an_error_and_begins_again(self):
        for state in ("started", "error", "started", "running"):
            self.accepted(self.report(state, module_name="life"))
        self.assertEqual(["running"], [state.state for state in self.states_of("life")])

    def test_the_states_of_a_module_are_listed_newest_first(self):
        requests = [unique("request") for _ in range(3)]
        for request_id in requests:
            self.accepted(self.report("running", request_id))
        self.assertEqual(requests[::-1], [state.request_id for state in self.states_of("ping")])

    def test_an_unknown_request_is_not_found(self):
        self.not_found(pb.GetModuleStateRequest(request_id="nothing"), "nothing")

    def test_a_report_without_a_state_is_refused(self):
        self.refused(pb.SetModuleStateRequest(), "state must be given")
