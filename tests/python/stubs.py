"""Client stubs, generated at every run as the Python server generates its own.

One process can know one description of package dbos only: DBOS_TEST_PROTO says which.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from repository import GRPC_PLUGIN, PROTO, PROTOC

_folder = tempfile.TemporaryDirectory(prefix="dbos-stubs-")


def _generate(proto, folder):
    # The Python server imports dbos_pb2, whatever the file was called that it is made of.
    shutil.copy(proto, Path(folder) / "dbos.proto")
    subprocess.run(
        [
            PROTOC,
            f"--plugin=protoc-gen-grpc_python={GRPC_PLUGIN}",
            f"--proto_path={folder}",
            f"--python_out={folder}",
            f"--grpc_python_out={folder}",
            "dbos.proto",
        ],
        check=True,
    )


_generate(os.environ.get("DBOS_TEST_PROTO", PROTO), _folder.name)
sys.path.insert(0, _folder.name)

import dbos_pb2  # noqa: E402
import dbos_pb2_grpc  # noqa: E402

__all__ = ["dbos_pb2", "dbos_pb2_grpc"]
