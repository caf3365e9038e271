"""DBOS and Redis as processes of a test's own: on a free loopback port, their data in a folder of their own."""

import atexit
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import grpc
from repository import REPOSITORY
from stubs import dbos_pb2, dbos_pb2_grpc

START_PATIENCE = 180
END_PATIENCE = 15


def eventually(condition, patience, what):
    """Waits until it is true; fails the test that waits if it is not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.02)


def free_port():
    """From below the ports that Linux gives to clients, of which one may come before a server that starts slowly."""
    while True:
        with socket.socket() as listener:
            try:
                listener.bind(("", random.randrange(10_000, 32_768)))
            except OSError:
                continue
            return listener.getsockname()[1]


class ProcessGroup:
    """A command and whatever it starts, as `dotnet run` starts the server. Gone at the latest with this process."""

    def __init__(self, command, folder, environment=None):
        self._log = Path(folder) / "output.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.end)

    def output(self):
        return self._log.read_text(errors="replace")

    def wait_until(self, ready, what):
        def ready_or_ended():
            if self._process.poll() is not None:
                raise AssertionError(f"{what} ended at once:\n{self.output()}")
            return ready()

        try:
            eventually(ready_or_ended, START_PATIENCE, f"{what} answers")
        except AssertionError as late:
            raise AssertionError(f"{late}; it said:\n{self.output()}") from late

    def signal(self, number):
        os.killpg(self._process.pid, number)

    def end(self):
        atexit.unregister(self.end)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._sent(number):
                self._wait_until_gone()

    def _wait_until_gone(self):
        deadline = time.monotonic() + END_PATIENCE
        while self._sent(0) and time.monotonic() < deadline:
            self._process.poll()
            time.sleep(0.02)

    def _sent(self, number):
        try:
            self.signal(number)
            return True
        except ProcessLookupError:
            return False


@contextmanager
def running(command, environment=None):
    with tempfile.TemporaryDirectory(prefix="dbos-test-") as folder:
        arguments = [argument.format(folder=folder) for argument in command]
        group = ProcessGroup(arguments, folder, environment and {**environment, "DATA_DIR": f"{folder}/data"})
        try:
            yield group
        finally:
            group.end()


@contextmanager
def redis_server():
    """Yields its address and its process."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", "{folder}", "--save", ""]
    with running(command) as group:
        group.wait_until(lambda: _listens(port), "redis-server")
        yield f"127.0.0.1:{port}", group


@contextmanager
def dbos_server(port=None, **settings):
    """Yields the address of DBOS, started as the README says: without REDIS_ADDR on its embedded store."""
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_ADDR"}
    environment |= {"PORT": str(port), **settings}
    command = ["dotnet", "run", "--project", "src/Dbos.Api", "--no-build"]
    with running(command, environment) as group:
        address = f"127.0.0.1:{port}"
        group.wait_until(lambda: _serves(address), "DBOS")
        yield address


@contextmanager
def dbos_on(store):
    if store == "embedded":
        with dbos_server() as address:
            yield address
    else:
        with redis_server() as (redis_address, _), dbos_server(REDIS_ADDR=redis_address) as address:
            yield address


def _listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _serves(address):
    # A subchannel of its own: one that others share waits longer after each connection that was refused.
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            dbos_pb2_grpc.DBOSStub(channel).GetEvents(dbos_pb2.GetEventsRequest(limit=1), timeout=5)
            return True
        except grpc.RpcError:
            return False
