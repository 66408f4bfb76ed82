# SPDX-License-Identifier: Apache-2.0
"""A host's side of the gtuned channel (and, the dialect being the same, of qemu-ga's).

Whatever a guest says is read as bytes, so that a test can see every one of them.
"""

import json
import random
import socket
import time


class ChannelError(Exception):
    """The channel cannot be used: nobody there, or gone."""


class ChannelTimeout(ChannelError):
    """No answer in time."""


class RemoteError(Exception):
    """The agent answered with an error."""

    def __init__(self, error):
        super().__init__(f"{error.get('class')}: {error.get('desc')}")
        self.error_class = error.get("class")
        self.desc = error.get("desc")


def request(name, arguments=None, **members):
    """The bytes of a request, without a newline. members adds further ones, such as id=."""
    message = {"execute": name}
    if arguments is not None:
        message["arguments"] = arguments
    message.update(members)
    return json.dumps(message).encode()


class Channel:
    """One connection to an agent's socket.

    A request sent before the agent has opened its port may never be answered, so query() starts with a
    sync, and both send again what was not answered.
    """

    def __init__(self, path, timeout=10.0):
        self.path = str(path)
        self.events = []
        self._buffer = b""
        self._socket = self._connect(time.monotonic() + timeout)

    def _connect(self, deadline):
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self.path)
                return connection
            except OSError as error:
                connection.close()
                if time.monotonic() > deadline:
                    raise ChannelError(f"{self.path}: {error}") from error
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fileno(self):
        """The socket's descriptor, for select()."""
        return self._socket.fileno()

    def close(self):
        """Disconnects; the guest sees the host go."""
        self._socket.close()

    def send(self, data, timeout=10.0):
        """Sends raw bytes."""
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(data)
        except socket.timeout as error:
            raise ChannelTimeout(f"{self.path}: the guest took no more bytes for {timeout} s") from error
        except OSError as error:
            raise ChannelError(f"{self.path}: {error}") from error

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelTimeout(f"{self.path}: no answer in time, {self._buffer[-200:]!r} is unfinished")
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except socket.timeout:
            return self._receive(deadline)
        except OSError as error:
            raise ChannelError(f"{self.path}: {error}") from error
        if not data:
            raise ChannelError(f"{self.path}: closed by the other side")
        self._buffer += data

    def read_line(self, timeout=10.0):
        """The next line as it came, without its newline. A 0xFF before it is kept."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            self._receive(deadline)
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def read_message(self, timeout=10.0):
        """The next line that is JSON, as an object. A leading 0xFF and lines that are none are left out."""
        deadline = time.monotonic() + timeout
        while True:
            line = self.read_line(deadline - time.monotonic())
            try:
                message = json.loads(line.lstrip(b"\xff"))
            except ValueError:
                continue
            if isinstance(message, dict):
                return message

    def _read_reply(self, matches, timeout):
        """The next reply that matches. Events on the way are kept, other replies are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.read_message(deadline - time.monotonic())
            if "event" in message:
                self.events.append(message)
            elif matches(message):
                return message

    def read_nothing(self, seconds):
        """What comes within some seconds, which a test expects to be b""."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._receive(deadline)
        except ChannelTimeout:
            data, self._buffer = self._buffer, b""
            return data

    def sync(self, timeout=30.0, retry=1.0):
        """0xFF and guest-sync-delimited, again and again until it is answered; drops all that came before."""
        deadline = time.monotonic() + timeout
        while True:
            number = random.randrange(1, 1 << 31)
            self.send(b"\xff" + request("guest-sync-delimited", {"id": number}) + b"\n")
            try:
                self._read_reply(lambda m, n=number: m.get("return") == n,
                                 min(retry, max(deadline - time.monotonic(), 0.01)))
                return
            except ChannelTimeout:
                if time.monotonic() > deadline:
                    raise

    def ask(self, name, arguments=None, timeout=10.0):
        """One request and its reply, without a sync and without a second try."""
        number = random.randrange(1, 1 << 31)
        self.send(request(name, arguments, id=number) + b"\n")
        reply = self._read_reply(lambda m: m.get("id") == number, timeout)
        if "error" in reply:
            raise RemoteError(reply["error"])
        return reply["return"]

    def query(self, name, arguments=None, timeout=10.0, tries=3):
        """What the command returns. Syncs first; tries again after a timeout."""
        for attempt in range(tries):
            try:
                self.sync(timeout)
                return self.ask(name, arguments, timeout)
            except ChannelTimeout:
                if attempt == tries - 1:
                    raise
        raise AssertionError("tries must be 1 or more")

    def watch(self, timeout=10.0):
        """Starts gtune-watch and returns its first report; then read event()."""
        self.events.clear()
        return self.query("gtune-watch", timeout=timeout)

    def event(self, timeout=10.0):
        """The next event line."""
        if self.events:
            return self.events.pop(0)
        deadline = time.monotonic() + timeout
        while True:
            message = self.read_message(deadline - time.monotonic())
            if "event" in message:
                return message
