"""Where things lie, and Debian's tools: others of the same name may come first on the PATH."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROTO = REPOSITORY / "protos" / "dbos.proto"
CONTRACT = Path(__file__).with_name("contract.proto")
PROTOC = "/usr/bin/protoc"
GRPC_PLUGIN = "/usr/bin/grpc_python_plugin"
