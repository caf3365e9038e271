"""protos/dbos.proto may add to the contract, and changes nothing of it."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from repository import CONTRACT, PROTO, PROTOC


def described(text):
    """Everything that a caller's stubs depend on, each thing as one sentence."""
    with tempfile.TemporaryDirectory(prefix="dbos-proto-") as folder:
        proto, answer = Path(folder) / "dbos.proto", Path(folder) / "descriptors"
        proto.write_text(text)
        subprocess.run([PROTOC, f"--proto_path={folder}", f"--descriptor_set_out={answer}", proto.name], check=True)
        (file,) = FileDescriptorSet.FromString(answer.read_bytes()).file
    return {f"syntax {file.syntax}, package {file.package}"} | set(_calls(file)) | set(_fields(file.message_type, ""))


def _calls(file):
    for service in file.service:
        for method in service.method:
            streams = (method.client_streaming, method.server_streaming)
            yield f"{service.name}.{method.name}({method.input_type}) returns ({method.output_type}), streams {streams}"


def _fields(messages, outer):
    for message in messages:
        name = f"{outer}.{message.name}"
        yield f"message {name}"
        yield from _fields(message.nested_type, name)
        for field in message.field:
            label, kind = field.Label.Name(field.label), field.type_name or field.Type.Name(field.type)
            yield f"{name}.{field.name} = {field.number}: {label} {kind}, presence {field.proto3_optional}"


class TheContract(unittest.TestCase):
    def test_has_fifteen_calls(self):
        self.assertEqual(15, CONTRACT.read_text().count("  rpc "))

    def test_is_unchanged_in_the_proto_of_today(self):
        missing = described(CONTRACT.read_text()) - described(PROTO.read_text())
        self.assertEqual([], sorted(missing))

    def test_is_broken_by_any_change_of_a_name_number_or_type(self):
        contract = CONTRACT.read_text()
        changes = {
            "a field renamed": ("int64 received_at = 6", "int64 arrived_at = 6"),
            "a field renumbered": ("int64 received_at = 6", "int64 received_at = 12"),
            "a field retyped": ("int64 received_at = 6", "int32 received_at = 6"),
            "a field repeated": ("bytes payload = 4", "repeated bytes payload = 4"),
            "a field with presence": ("int64 version = 8", "optional int64 version = 8"),
            "a map retyped": ("map<string, string> config", "map<string, bytes> config"),
            "a field gone": ("  int32 retry_count = 9;\n", ""),
            "a call renamed": ("rpc AckTask(", "rpc AcknowledgeTask("),
            "a call that streams": ("returns (ListAgentsResponse)", "returns (stream ListAgentsResponse)"),
            "a call gone": ("  rpc GetEvents(GetEventsRequest) returns (GetEventsResponse);\n", ""),
            "another package": ("package dbos;", "package dbos.v2;"),
        }
        for what, (was, becomes) in changes.items():
            with self.subTest(what):
                self.assertIn(was, contract)
                self.assertNotEqual(set(), described(contract) - described(contract.replace(was, becomes)))


if __name__ == "__main__":
    unittest.main()
