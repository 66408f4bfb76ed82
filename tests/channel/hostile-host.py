#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays hosts of every kind against gtuned, and checks that each is answered as doc/host.md says.

    hostile-host.py GTUNED ROOT [--quick]

starts `GTUNED --root ROOT --listen SOCKET` on a copy of the tree ROOT. The cases themselves know nothing of that:
each takes a Stage, which connects to an agent in whatever way and knows what else can be done to it. tests/e2e
imports them and runs them against the socket of a real virtio-serial port. Those that change the tree under a daemon
come last, each with a daemon and a copy of its own.
"""

import contextlib
import ctypes
import functools
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

PING = b'{"execute":"guest-ping"}'
PONG = {"return": {}}
REPLY_MAX = 256 * 1024


class Failed(Exception):
    """What the agent did is not what it should do."""


class Skipped(Exception):
    """This stage cannot do what the case needs."""


def require(condition, message):
    if not condition:
        raise Failed(message)


class Host:
    """One connection, and the lines that come out of it."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setblocking(False)
        self.pending = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data, timeout=10.0):
        """Sends all of it. Returns False where the agent took no more in time."""
        end = time.monotonic() + timeout
        while data:
            left = end - time.monotonic()
            if left <= 0 or not select.select([], [self.sock], [], left)[1]:
                return False
            data = data[self.sock.send(data[:65536]):]
        return True

    def read(self, timeout):
        """More bytes, or b"" where none came in time or the agent has hung up."""
        if not select.select([self.sock], [], [], max(0.0, timeout))[0]:
            return b""
        try:
            return self.sock.recv(65536)
        except ConnectionResetError:
            return b""

    def raw_line(self, timeout=10.0):
        end = time.monotonic() + timeout
        while b"\n" not in self.pending:
            more = self.read(end - time.monotonic())
            if not more:
                return None
            self.pending += more
            require(len(self.pending) <= 4 * REPLY_MAX, "a line without an end")
        line, self.pending = self.pending.split(b"\n", 1)
        return line

    def line(self, timeout=10.0):
        """The next line as JSON; None where there is none in time. Every line must be printable ASCII."""
        raw = self.raw_line(timeout)
        if raw is None:
            return None
        require(len(raw) < REPLY_MAX, f"a reply of {len(raw)} bytes")
        require(all(0x20 <= b < 0x7F for b in raw.lstrip(b"\xff")), f"a reply that is not ASCII: {raw[:80]!r}")
        return json.loads(raw.lstrip(b"\xff"))

    def ask(self, data, timeout=10.0):
        require(self.send(data, timeout), "the request was not taken")
        answer = self.line(timeout)
        require(answer is not None, f"no answer to {data[:60]!r}")
        return answer

    def silence(self, seconds):
        require(not self.pending, f"unexpected output {self.pending[:80]!r}")
        more = self.read(seconds)
        require(not more, f"unexpected output {more[:80]!r}")


class Stage:
    """An agent to play against. What a kind of stage cannot do raises Skipped."""

    name = "agent"

    def connect(self):
        """A new Host; the one before must be closed."""
        raise NotImplementedError

    def change(self):
        """Change something in the guest that a watching host must hear of."""
        raise Skipped("nothing can be changed here")

    def memory(self):
        """The daemon's private dirty memory in kB."""
        raise Skipped("its memory cannot be seen")

    def switches(self):
        """How often the daemon was scheduled."""
        raise Skipped("its context switches cannot be seen")

    def synced(self):
        """A new Host that has synced as a careful client does: until its own id comes back."""
        deadline = time.monotonic() + 30
        number = int(time.monotonic() * 1000000)
        while time.monotonic() < deadline:
            host = self.connect()
            number += 1
            host.send(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n' % number)
            end = time.monotonic() + 3
            while (raw := host.raw_line(end - time.monotonic())) is not None:
                if raw.endswith(b'\xff{"return": %d}' % number):
                    return host
            host.close()
        raise Failed("the agent does not sync")


def is_error(answer, text=""):
    return "error" in answer and text in answer["error"]["desc"]


def check_alive(stage):
    with stage.synced() as host:
        require(host.ask(PING) == PONG, "no pong")


# ---- the cases ----

def no_newline(stage):
    """a request without a newline is answered"""
    with stage.synced() as host:
        require(host.ask(PING) == PONG, "no pong")
        host.silence(0.2)


def two_in_one_write(stage):
    """two requests in one write are answered in order"""
    with stage.synced() as host:
        host.send(b'{"execute":"guest-ping","id":1}{"execute":"guest-ping","id":2}')
        require(host.line() == {"return": {}, "id": 1} and host.line() == {"return": {}, "id": 2}, "wrong order")
        host.silence(0.2)


def hundreds_in_one_write(stage):
    """500 requests in one write are answered in order"""
    with stage.synced() as host:
        host.send(b"".join(b'{"execute":"guest-ping","id":%d}' % i for i in range(500)))
        for i in range(500):
            require(host.line() == {"return": {}, "id": i}, f"answer {i} is missing or out of order")


def byte_by_byte(stage):
    """a request that comes one byte at a time is answered once"""
    with stage.synced() as host:
        for i in range(len(PING)):
            host.send(PING[i:i + 1])
            time.sleep(0.002)
        require(host.line() == PONG, "no pong")
        host.silence(0.2)


def newline_inside(stage):
    """a newline does not end a request"""
    with stage.synced() as host:
        require(host.ask(b'{"execute":\n"guest-ping"\n}\n') == PONG, "no pong")


def half_then_another_client(stage):
    """a half request of a client that left does not harm the next one that syncs"""
    for half in (b'{"execute":"guest-pi', b'{"execute":"guest-ping","arguments":{', b'{"execute":"guest-ping"', b'"'):
        host = stage.synced()
        host.send(half)
        host.close()
        check_alive(stage)


def half_is_dropped(stage):
    """a half request is dropped ten seconds after its first byte"""
    with stage.synced() as host:
        host.send(b'{"execute":"guest-')
        host.silence(11.0)
        require(host.ask(PING) == PONG, "the half request was kept")


def flush_in_string(stage):
    """0xFF in the middle of a string begins afresh, silently"""
    with stage.synced() as host:
        require(host.ask(b'{"execute":"guest-pi\xff' + PING) == PONG, "no pong")
        require(host.ask(b'{"execute":"guest-pi\\\xff\xff\xff' + PING) == PONG, "no pong")
        host.silence(0.2)


def megabyte_of_garbage(stage):
    """1 MB of garbage is one error"""
    with stage.synced() as host:
        require(host.send(b"]}garbage\x00\x01\x80{[" * 80000 + b"\n" + PING, 60), "the garbage was not taken")
        require(is_error(host.line(30)) and host.line() == PONG, "not one error and a pong")
        host.silence(0.2)


def random_garbage(stage):
    """1 MB of random bytes gives at most one error for each newline and 0xFF in it"""
    noise = os.urandom(1 << 20)
    with stage.synced() as host:
        runs = noise.count(b"\n") + noise.count(b"\xff") + 1
        errors = 0
        for i in range(0, len(noise), 4096):
            require(host.send(noise[i:i + 4096], 60), "the garbage was not taken")
            while host.pending or select.select([host.sock], [], [], 0)[0]:
                require(is_error(host.line()), "garbage was answered by something else than an error")
                errors += 1
        host.send(b"\n\xff" + PING)
        while is_error(answer := host.line()):
            errors += 1
        require(answer == PONG, "no pong")
        require(errors <= runs, f"{errors} errors for {runs} runs of garbage")


def deep_nesting(stage):
    """nesting of 10,000 is one error"""
    with stage.synced() as host:
        host.send(b'{"execute":"guest-ping","id":' + b"[" * 10000 + b"]" * 10000 + b"}\n" + PING)
        require(is_error(host.line(), "nesting") and host.line() == PONG, "not one error and a pong")


def too_long(stage):
    """a request of more than 64 KiB is one error"""
    with stage.synced() as host:
        host.send(b'{"execute":"guest-ping","id":"' + b"x" * 70000 + b'"}\n' + PING)
        require(is_error(host.line(), "size limit") and host.line() == PONG, "not one error and a pong")


def large_ids(stage):
    """ids of 2^70, 1e300 and other kinds come back as they were"""
    with stage.synced() as host:
        for text in (b"1180591620717411303424", b"1e300", b"-0.10E+02", b'"\\u00e9"', b"null", b'{"a": [1, {}]}'):
            host.send(b'{"execute":"guest-ping","id":' + text + b"}")
            require(host.raw_line() == b'{"return": {}, "id": ' + text + b"}", f"the id {text!r} changed")


def wrong_requests(stage):
    """unknown commands, members and arguments are named, and the next request is answered"""
    rows = (
        (b'{"execute":"guest-exec"}', "CommandNotFound", "The command guest-exec has not been found"),
        (b'{"execute":"guest-ping","foo":1}', "GenericError", "QMP input member 'foo' is unexpected"),
        (b"[]", "GenericError", "QMP input must be a JSON object"),
        (b'{"execute":"guest-sync"}', "GenericError", "Parameter 'id' is missing"),
        (b'{"execute":"guest-sync","arguments":{"id":"1"}}', "GenericError",
         "Invalid parameter type for 'id', expected: integer"),
        (b'{"execute":"guest-ping","arguments":{"zz":1}}', "GenericError", "Parameter 'zz' is unexpected"),
    )
    with stage.synced() as host:
        for request, kind, desc in rows:
            require(host.ask(request) == {"error": {"class": kind, "desc": desc}}, f"wrong answer to {request!r}")
        require(host.ask(PING) == PONG, "no pong")


def info(stage):
    """guest-info lists the commands"""
    with stage.synced() as host:
        answer = host.ask(b'{"execute":"guest-info"}')["return"]
        names = {c["name"] for c in answer["supported_commands"]}
        require(names >= {"guest-sync", "guest-sync-delimited", "guest-ping", "guest-info", "gtune-status",
                          "gtune-plan", "gtune-pcrs", "gtune-eventlog", "gtune-quote", "gtune-watch", "gtune-apply"}, f"only {names}")
        require(all(set(c) == {"name", "enabled", "success-response"} for c in answer["supported_commands"]), "members")


def status(stage):
    """gtune-status returns the report, gtune-plan the changes"""
    with stage.synced() as host:
        report = host.ask(b'{"execute":"gtune-status"}')["return"]
        require(report["schema"] == 1 and report["practices"], "no report")
        plan = host.ask(b'{"execute":"gtune-plan"}')["return"]
        require(isinstance(plan["changes"], list) and plan["offset"] == 0, "no plan")


def follows_schema(stage):
    """every reply is what its schema says (doc/channel.schema.json, doc/report.schema.json)"""
    documents = pathlib.Path(__file__).resolve().parents[2] / "doc"
    with contextlib.suppress(ImportError):
        import jsonschema  # of Debian's own Python, which need not be the one that runs this
    if "jsonschema" not in locals():
        raise Skipped("python3-jsonschema is missing")
    replies = json.loads((documents / "channel.schema.json").read_text(encoding="ascii"))
    report = json.loads((documents / "report.schema.json").read_text(encoding="ascii"))
    with stage.synced() as host:
        for command in ("guest-ping", "guest-info", "gtune-plan"):
            answer = host.ask(b'{"execute":"%s"}' % command.encode())["return"]
            jsonschema.validate({command: answer}, replies)
        for command in ("gtune-status", "gtune-watch"):
            jsonschema.validate(host.ask(b'{"execute":"%s"}' % command.encode())["return"], report)
        stage.change()
        event = host.line(5)
        jsonschema.validate({"GTUNE_CHANGED": event}, replies)


def never_reads(stage):
    """a host that never reads: its replies are dropped after 5 s, and what follows begins on a new line"""
    with stage.synced() as host:
        request = b'{"execute":"gtune-status","id":"' + b"x" * 4000 + b'"}'
        for _ in range(2000):
            if not host.send(request, 0.5):
                break
        else:
            raise Failed("8 MB of requests were taken though no reply was read")
        time.sleep(6.5)
        seen = b""
        while more := host.read(2.0):
            seen += more
        host.send(b'\n\xff{"execute":"guest-sync-delimited","arguments":{"id":77}}\n')
        deadline = time.monotonic() + 30
        while b'\xff{"return": 77}\n' not in seen:
            require(time.monotonic() < deadline, "the agent did not recover")
            seen += host.read(1.0)
        lines = seen.split(b"\n")
        broken = [line for line in lines[:-1] if line and not is_json(line.lstrip(b"\xff"))]
        require(len(broken) <= 20, f"{len(broken)} torn lines")
        require(is_json(lines[-2].lstrip(b"\xff")), "the last line is torn")


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def reads_late(stage):
    """a host that reads after 3 s gets every reply whole"""
    with stage.synced() as host:
        host.send(b"".join(b'{"execute":"gtune-status","id":%d}' % i for i in range(100)))
        time.sleep(3)
        for i in range(100):
            require(host.line()["id"] == i, f"reply {i} is missing")


def come_and_go(stage, times=1000):
    """connect, ask and disconnect 1,000 times"""
    for i in range(times):
        with stage.connect() as host:
            if i % 3 == 0:
                host.send(PING)
            elif i % 3 == 1:
                host.send(b'{"execute":"gtune-wat')
    check_alive(stage)


def come_ask_and_go(stage, times=200):
    """connect, ask, be answered and disconnect 200 times"""
    for i in range(times):
        with stage.connect() as host:
            require(host.send(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n' % i), "not taken")
            end = time.monotonic() + 10
            while (raw := host.raw_line(end - time.monotonic())) is not None:
                if raw.endswith(b'\xff{"return": %d}' % i):
                    break
            require(raw is not None, f"round {i}: no answer")


def watch(stage):
    """a watching host hears of a change within a second, and in few events"""
    with stage.synced() as host:
        require("return" in host.ask(b'{"execute":"gtune-watch"}'), "no report")
        host.silence(1.0)
        start = time.monotonic()
        stage.change()
        event = host.line(5)
        delay = time.monotonic() - start
        require(event is not None and event.get("event") == "GTUNE_CHANGED", f"no event but {event}")
        require(set(event["timestamp"]) == {"seconds", "microseconds"}, "timestamp")
        require(event["data"]["practices"] and "state" in event["data"]["practices"][0], "no practice")
        require(delay < 1.0, f"it took {delay:.2f} s")


def watch_is_bounded(stage):
    """many changes in 2 s are at most 5 events a second"""
    with stage.synced() as host:
        host.ask(b'{"execute":"gtune-watch"}')
        end = time.monotonic() + 2
        while time.monotonic() < end:
            stage.change()
            time.sleep(0.01)
        events = 0
        while (line := host.line(1.0)) is not None:
            require(line.get("event") == "GTUNE_CHANGED", "something else than an event")
            events += 1
        require(1 <= events <= 13, f"{events} events")


def watch_ends(stage):
    """a sync, 0xFF or a disconnect ends the watch, and nobody else gets events"""
    for end in (b"\xff", b'{"execute":"guest-sync","arguments":{"id":4}}'):
        with stage.synced() as host:
            host.ask(b'{"execute":"gtune-watch"}')
            host.send(end)
            if end != b"\xff":
                require(host.line() == {"return": 4}, "no sync")
            require(host.ask(PING) == PONG, "no pong")
            stage.change()
            host.silence(1.0)
    with stage.synced() as host:
        host.ask(b'{"execute":"gtune-watch"}')
    with stage.synced() as host:
        stage.change()
        host.silence(1.0)


def second_client(stage):
    """a second client waits until the first one leaves"""
    with stage.synced() as first:
        try:
            second = stage.connect()
        except OSError:
            return
        with second:
            with contextlib.suppress(OSError):
                second.send(PING)
                second.silence(0.5)
            require(first.ask(PING) == PONG, "the first client is no longer served")
            first.close()
            answer = second.line(5)
            require(answer in (PONG, None), f"the second client got {answer}")
    check_alive(stage)


def idle(stage, seconds=60):
    """an idle daemon sleeps: 0 context switches, without a host and with a silent one"""
    for attached in (False, True):
        with stage.synced() if attached else contextlib.nullcontext():
            time.sleep(2)
            before = stage.switches()
            time.sleep(seconds)
            woken = stage.switches() - before
            require(woken == 0, f"{woken} context switches in {seconds} s, host attached: {attached}")


def settled_memory(stage):
    """Private memory at a defined point: after a survey, which gives back what is free, and an answer."""
    time.sleep(1.5)
    with stage.synced() as host:
        host.ask(b'{"execute":"gtune-status"}')
    time.sleep(0.5)
    return stage.memory()


def memory(stage, before):
    """private memory has not grown"""
    after = settled_memory(stage)
    print(f"# private dirty memory: {before} kB before, {after} kB after")
    require(after <= before + 64, f"it grew from {before} kB to {after} kB")


CASES = (
    no_newline, two_in_one_write, hundreds_in_one_write, byte_by_byte, newline_inside, half_then_another_client,
    half_is_dropped, flush_in_string, megabyte_of_garbage, random_garbage, deep_nesting, too_long, large_ids,
    wrong_requests, info, status, follows_schema, never_reads, reads_late, come_and_go, come_ask_and_go, watch, watch_is_bounded,
    watch_ends, second_client,
)


def play(counts, say, stage, case, *args):
    """Plays one case, and counts how it ended."""
    title = f"{stage.name}: {case.__doc__}"
    try:
        case(stage, *args)
        counts[0] += 1
        say(f"ok - {title}")
    except Skipped as why:
        counts[2] += 1
        say(f"ok - {title} # SKIP {why}")
    except (Failed, OSError, ValueError, KeyError, TypeError) as why:
        counts[1] += 1
        say(f"not ok - {title}: {type(why).__name__}: {why}")


def run_cases(stage, cases=CASES, say=print):
    """Plays the cases against one stage. Returns how many passed, failed and were skipped."""
    counts = [0, 0, 0]
    check_alive(stage)
    try:
        # The first ones bring in what is then kept for good: code that had not run yet, and the heap's usual holes.
        for case in (megabyte_of_garbage, status, come_ask_and_go, watch_is_bounded, watch_is_bounded):
            with contextlib.suppress(Failed):
                case(stage)
        before = settled_memory(stage)
    except Skipped:
        before = None
    for case in cases:
        play(counts, say, stage, case)
    if before is not None:
        play(counts, say, stage, memory, before)
    return tuple(counts)


# ---- the stage that needs no guest ----

class ListenStage(Stage):
    """gtuned --listen on a copy of a tree."""

    name = "--listen"

    def __init__(self, program, tree, directory):
        self.root = os.path.join(directory, "root")
        self.path = os.path.join(directory, "socket")
        self.directory, self.program = directory, program
        shutil.copytree(tree, self.root, symlinks=True)
        self.policy = os.path.join(self.root, "etc/gtuned/gtuned.conf")
        os.makedirs(os.path.dirname(self.policy), exist_ok=True)
        self.count = 0
        self.start()

    def start(self, *wrapper, stderr=None):
        """Starts it by another program, if there is one that ends as it."""
        self.process = subprocess.Popen([*wrapper, self.program, "--root", self.root, "--listen", self.path],
                                        stderr=stderr)
        self.wait()

    def wait(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"gtuned has ended with status {self.process.returncode}")
            with contextlib.suppress(OSError):
                self.connect().close()
                return
            time.sleep(0.01)
        raise Failed("gtuned does not listen")

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)  # waits while others are in the queue
        return Host(sock)

    def change(self):
        """What is wanted of haltpoll goes to and fro."""
        self.count += 1
        temporary = self.policy + ".new"
        with open(temporary, "w", encoding="ascii") as f:
            f.write(f"[haltpoll]\nenable = yes\nguest_halt_poll_ns = {200000 + self.count}\n")
        os.rename(temporary, self.policy)

    def proc(self, name, field):
        with open(f"/proc/{self.process.pid}/{name}", encoding="ascii") as f:
            return sum(int(line.split()[1]) for line in f if line.split(":")[0] in field)

    def memory(self):
        return self.proc("smaps_rollup", ("Private_Dirty",))

    def switches(self):
        return self.proc("status", ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        require(self.process.wait(10) == 0, f"gtuned ends with status {self.process.returncode}")


@contextlib.contextmanager
def request_server(stage, *answers):
    """Plays gtuned-request: for each connection one answer, or None for none at all. Yields what it was sent."""
    directory = os.path.join(stage.root, "run/gtuned")
    path = os.path.join(directory, "request.sock")
    os.makedirs(directory, exist_ok=True)
    heard = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(4)

        def serve():
            for answer in answers:
                client, _ = server.accept()
                with client:
                    if answer is not None:
                        client.sendall(answer)
                        client.shutdown(socket.SHUT_WR)
                    client.settimeout(20)
                    try:
                        heard.append(client.recv(100))
                    except ConnectionResetError:  # it left without reading the answer to its end
                        heard.append(b"")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield heard
            thread.join(20)
        finally:
            os.unlink(path)


def apply_request(stage):
    """gtune-apply: root's answer reaches the host, the order is kept, and root is sent nothing"""
    rows = (
        (b'{"result":"started"}\n', {"return": {"started": True}, "id": 1}),
        (b'{"result":"refused","code":"not-allowed","reason":"no"}\n',
         {"error": {"class": "CommandNotFound", "desc": "Command gtune-apply has been disabled: no"}, "id": 1}),
        (b'{"result":"refused","code":"rate-limited","reason":"soon"}\n',
         {"error": {"class": "GenericError", "desc": "soon"}, "id": 1}),
        (b"", {"error": {"class": "GenericError", "desc": "gtuned-request gave no answer"}, "id": 1}),
        (b"\xff{]" * 2000, {"error": {"class": "GenericError", "desc": "gtuned-request gave no answer"}, "id": 1}),
    )
    for answer, wanted in rows:
        with request_server(stage, answer) as heard, stage.synced() as host:
            host.send(b'{"execute":"gtune-apply","id":1}' + PING)
            require((got := host.line()) == wanted, f"{answer[:40]!r} became {got}")
            require(host.line() == PONG, "the request behind it was lost")
        require(heard == [b""], f"root was sent {heard}")
        time.sleep(1.1)


def apply_without_answer(stage):
    """gtune-apply: where root does not answer the host hears so after 15 s, and nothing behind it is lost"""
    with request_server(stage, None), stage.synced() as host:
        start = time.monotonic()
        host.send(b'{"execute":"gtune-apply","id":1}' + PING)
        answer = host.line(20)
        require(is_error(answer, "did not answer"), f"it answered {answer}")
        require(14.5 < time.monotonic() - start < 16.5, "not after 15 s")
        require(host.line() == PONG, "the request behind it was lost")


def apply_and_leave(stage):
    """gtune-apply: a host that leaves before the answer harms nobody"""
    time.sleep(1.1)
    with request_server(stage, None):
        with stage.synced() as host:
            host.send(b'{"execute":"gtune-apply","id":1}')
            time.sleep(0.2)
        check_alive(stage)
    time.sleep(1.1)
    with stage.synced() as host:
        for _ in range(50):
            require(is_error(host.ask(b'{"execute":"gtune-apply"}'), "cannot be asked"), "no refusal")


def socket_is_private(stage):
    """the socket is 0600"""
    mode = stat.S_IMODE(os.stat(stage.path).st_mode)
    require(mode == 0o600, f"mode {mode:o}")


def reload(stage):
    """SIGHUP reads everything again and harms nobody"""
    with stage.synced() as host:
        stage.process.send_signal(signal.SIGHUP)
        require(host.ask(PING) == PONG, "no pong")


def second_daemon(stage):
    """a second daemon on the same socket refuses, and the first goes on"""
    again = subprocess.run([stage.program, "--root", stage.root, "--listen", stage.path],
                           stderr=subprocess.PIPE, timeout=10, check=False)
    require(again.returncode == 1 and b"in use" in again.stderr, f"{again.returncode} {again.stderr!r}")
    check_alive(stage)


def stale_socket(stage):
    """a socket that a killed daemon left behind is replaced"""
    stage.kill()
    stage.start()
    check_alive(stage)


def leaves_nothing(stage):
    """SIGTERM ends it with status 0 and removes the socket"""
    stage.stop()
    require(not os.path.exists(stage.path), "the socket is left")


# ---- cases on a tree that changes, each with a daemon of its own ----

STATUS = b'{"execute":"gtune-status"}'
WATCH = b'{"execute":"gtune-watch"}'
POLICY = b"[haltpoll]\nenable = yes\nguest_halt_poll_ns = %d\n"
PARAMETERS = "sys/module/haltpoll/parameters"
PARAMETER = f"{PARAMETERS}/guest_halt_poll_ns"
PATIENCE = 60
PACE_SECONDS = 0.25  # between two reports because of changes (KEEPER_PACE of agent/daemon/keeper.h)
QUIET_SECONDS = PACE_SECONDS + 0.05  # so long after a report the next change is read at once
AT_FDCWD, RENAME_EXCHANGE = -100, 2
STALE_SECONDS = 1.0  # an older report is compared with its sources before it is given
UNIT = pathlib.Path(__file__).resolve().parents[2] / "packaging/gtuned.service.in"


def haltpoll(document):
    """The practice in a report or in the data of an event; None if the event does not tell of it."""
    return next((each for each in document["practices"] if each["name"] == "haltpoll"), None)


def ask_haltpoll(host):
    return haltpoll(host.ask(STATUS, PATIENCE)["return"])


def setting(kind):
    """Returns a function that takes the value, "wanted" or "actual", of guest_halt_poll_ns from the practice."""
    def take(practice):
        return next((each[kind] for each in practice["settings"] if each["name"] == "guest_halt_poll_ns"), None)
    return take


def replace(path, content):
    """Writes a file anew, as an editor does."""
    with open(f"{path}.new", "wb") as file:
        file.write(content)
    os.rename(f"{path}.new", path)


def overwrite(path, content):
    """Writes over a file in place, as into an attribute of the kernel: it is not cut first."""
    with open(path, "r+b", buffering=0) as file:
        file.write(content)


@contextlib.contextmanager
def repeatedly(change, pause):
    """Makes a change in a thread again and again, until the block ends."""
    end = threading.Event()

    def make():
        while not end.wait(pause):
            change()

    thread = threading.Thread(target=make)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def require_told(host, what, change, take, wanted):
    """A change is told by the answer to the next request, and by an event. The host watches."""
    time.sleep(QUIET_SECONDS)
    change()
    host.send(STATUS)
    answered = told = False
    while not (answered and told):
        line = host.line(PATIENCE)
        require(line is not None, f"{what}: no event tells of it")
        practice = haltpoll(line["return" if "return" in line else "data"])
        if "return" in line:
            require(take(practice) == wanted, f"{what}: the next answer tells of {take(practice)}, not {wanted}")
            answered = True
        else:
            told = told or (practice is not None and take(practice) == wanted)


class Menu:
    """A grub.cfg that takes long to read. Each time it is put in place, its first kernel is one line further down."""

    ENTRIES = 100_000
    ENTRY = "menuentry 'o%d' {\n\tlinux\t/vmlinuz-5.10.0-%d root=/dev/sda1 ro\n}\n"

    def __init__(self, stage):
        self.path = os.path.join(stage.root, "boot/grub2/grub.cfg")
        self.entries = "".join(self.ENTRY % (number, number) for number in range(self.ENTRIES)).encode()
        self.version = 0

    def put(self):
        self.version += 1
        replace(self.path, b"#\n" * self.version + self.entries)

    @staticmethod
    def told(practice):
        """The version that a report was made of; the menu before them all is not one of them."""
        return int(re.search(r"/boot/grub2/grub\.cfg:(\d+)", practice["reason"])[1]) - 2


def reading_seconds(host, menu):
    """How long the answer takes that comes right after the menu has changed."""
    taken = []
    for _ in range(3):
        time.sleep(QUIET_SECONDS)
        menu.put()
        began = time.monotonic()
        require((got := menu.told(ask_haltpoll(host))) == menu.version, f"version {got}, not {menu.version}")
        taken.append(time.monotonic() - began)
    return sorted(taken)[1]


def await_menu(host, menu, seconds):
    """The menu that is in place is reported in the end."""
    end = time.monotonic() + seconds
    while (got := menu.told(ask_haltpoll(host))) != menu.version:
        require(time.monotonic() < end, f"version {got} is reported, not {menu.version}")
        time.sleep(0.01)


def ping_seconds(host, seconds):
    """How long each ping takes, one after the other without a pause."""
    taken = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        require(host.ask(PING, PATIENCE) == PONG, "no pong")
        taken.append(time.monotonic() - began)
    return taken


def memory_max():
    """The memory in kB that the unit may take."""
    return int(re.search(r"^MemoryMax=(\d+)M$", UNIT.read_text(encoding="ascii"), re.M)[1]) * 1024


def pings_while_reading(stage):
    """pings are answered while a large boot menu is read again and again"""
    menu = Menu(stage)
    with stage.synced() as host:
        reading = reading_seconds(host, menu)
        seconds = max(4.0, 6 * reading)
        with repeatedly(menu.put, 0.3):
            pings = ping_seconds(host, seconds)
        limit = max(0.1, reading / 4)
        late = sum(taken for taken in pings if taken > limit)
        print(f"# {len(pings)} pings, the longest took {max(pings) * 1000:.0f} ms; the menu is read in "
              f"{reading * 1000:.0f} ms")
        # A few may wait for a busy machine. A daemon that reads by itself answers hardly any.
        require(late < seconds / 5, f"for {late:.1f} of {seconds:.1f} s there was no pong within {limit * 1000:.0f} ms")
        await_menu(host, menu, PATIENCE)
    peak, most = stage.proc("status", ("VmHWM",)), memory_max()
    print(f"# memory at most: {peak} kB of {most} kB")
    require(peak < most, f"it has used {peak} kB")


def asked_while_reading(stage, rounds=5, requests=200):
    """1,000 requests while a large boot menu is read: each is answered, in order, and none is outdated"""
    menu = Menu(stage)
    with stage.synced() as host:
        for _ in range(rounds):
            time.sleep(QUIET_SECONDS)
            menu.put()
            asked = menu.version
            host.send(b"".join(b'{"execute":"gtune-status","id":%d}' % i for i in range(requests)))
            time.sleep(0.05)
            menu.put()  # while the one before is read
            last = asked
            for i in range(requests):
                answer = host.line(PATIENCE)
                require(answer is not None and answer["id"] == i, f"answer {i} is missing or out of order")
                version = menu.told(haltpoll(answer["return"]))
                require(last <= version <= menu.version, f"answer {i} tells of version {version} after {last}")
                last = version
            time.sleep(QUIET_SECONDS)
            version = menu.told(ask_haltpoll(host))
            require(version == menu.version, f"version {version} is reported, not {menu.version}")


def vanish_and_return(stage):
    """a file or a directory on the way to it vanishes and returns: an event and the next answer tell each state"""
    parameter, parameters = os.path.join(stage.root, PARAMETER), os.path.join(stage.root, PARAMETERS)
    rows = (
        (parameter, setting("actual"), "200000"),
        (parameters, setting("actual"), "200000"),
        (os.path.dirname(parameters), setting("actual"), "200000"),
        (os.path.join(stage.root, "sys"), setting("actual"), "200000"),
        (os.path.dirname(stage.policy), setting("wanted"), "400000"),
        (os.path.join(stage.root, "etc"), setting("wanted"), "400000"),
    )
    with stage.synced() as host:
        require(haltpoll(host.ask(WATCH)["return"]) is not None, "no report")
        for path, take, value in rows:
            name, away = os.path.relpath(path, stage.root), f"{path}.away"
            require_told(host, f"{name} is gone", functools.partial(os.rename, path, away), take, None)
            require_told(host, f"{name} is back", functools.partial(os.rename, away, path), take, value)
        require_told(host, "the file is removed", lambda: os.unlink(parameter), setting("actual"), None)
        require_told(host, "it is made again", lambda: replace(parameter, b"210000\n"), setting("actual"), "210000")


def exchange(one, other):
    """Two names change places in one step."""
    if ctypes.CDLL(None, use_errno=True).renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other),
                                                   RENAME_EXCHANGE) != 0:
        raise Skipped(f"names cannot change places here: {os.strerror(ctypes.get_errno())}")


def point(link, target):
    """A symbolic link leads somewhere else from now on, in one step."""
    os.symlink(target, f"{link}.new")
    os.rename(f"{link}.new", link)


def write_policies(directory, *names):
    """Directories with a policy each, which differ in the value that they want."""
    for number, name in enumerate(names, 1):
        os.makedirs(os.path.join(directory, name))
        replace(os.path.join(directory, name, "gtuned.conf"), POLICY % (100000 * number))


def replaced_on_the_way(stage):
    """another directory or symbolic link on the way to a file: an event and the next answer tell it"""
    etc = os.path.join(stage.root, "etc")
    policy, store = os.path.join(etc, "gtuned"), os.path.join(etc, "store")
    write_policies(store, "one", "two", "three")
    write_policies(f"{store}.other", "deep/x", "two")
    link = os.path.join(store, "current")
    os.symlink("one", link)
    os.symlink("/etc/store/current", f"{policy}.link")
    # Each step rests on those before it; the value is that of the policy which is then at the end of the way.
    steps = (
        ("another directory", lambda: exchange(policy, os.path.join(store, "two")), "200000"),
        ("a link in place of the directory", lambda: exchange(policy, f"{policy}.link"), "100000"),
        ("another link on the way", lambda: point(link, "../store/three"), "300000"),
        ("a file at its end", lambda: replace(os.path.join(store, "three/gtuned.conf"), POLICY % 310000), "310000"),
        ("a link to a directory that is missing", lambda: point(link, "four"), None),
        ("that directory", lambda: os.rename(os.path.join(store, "three"), os.path.join(store, "four")), "310000"),
        ("another link that is deeper", lambda: point(link, "../store.other/deep/x"), "100000"),
        ("another directory above the link", lambda: point(policy, "store.other/two"), "200000"),
        ("two directories above it", lambda: exchange(store, f"{store}.other"), "400000"),
    )
    with stage.synced() as host:
        host.ask(WATCH)
        for what, change, value in steps:
            require_told(host, what, change, setting("wanted"), value)


def require_told_when_stale(host, write):
    """A change of which nothing is heard is told by the first answer to a request that comes a second after it."""
    for number in range(6):
        write(number)
        end = time.monotonic() + STALE_SECONDS
        while number % 2 and time.monotonic() < end:  # whether the host has asked meanwhile or not
            ask_haltpoll(host)
            time.sleep(0.03)
        time.sleep(max(0.0, end - time.monotonic()) + 0.01)
        practice = ask_haltpoll(host)
        require(setting("wanted")(practice) == f"{100001 + number}", f"write {number} is not told in {practice}")


def require_wrapper(wrapper):
    """Another program can be run so."""
    if not shutil.which(wrapper[0]):
        raise Skipped(f"there is no {wrapper[0]}")
    done = subprocess.run([*wrapper, "true"], stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise Skipped(done.stderr.strip())


def silent_changes(stage):
    """a file is written to by a second name that it has from the start: told a second later"""
    second = os.path.join(stage.directory, "second")
    replace(stage.policy, POLICY % 100000)
    stage.stop()
    os.link(stage.policy, second)
    stage.start()
    with stage.synced() as host:
        require_told_when_stale(host, lambda number: overwrite(second, POLICY % (100001 + number)))


def mounted_file(stage):
    """a file that is mounted where the daemon alone sees it is written to: told a second later"""
    outside = os.path.join(stage.directory, "outside")
    replace(outside, POLICY % 100000)
    wrapper = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--mount", "sh", "-c",
               'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", outside, stage.policy)
    require_wrapper(wrapper)
    stage.stop()
    stage.start(*wrapper)
    with stage.synced() as host:
        require_told_when_stale(host, lambda number: overwrite(outside, POLICY % (100001 + number)))


BURST = 20
BURST_SECONDS = 1.0


def burst(host, path, first):
    """Writes a value many times in a second. Returns the events and the last write, in seconds since the first one."""
    events = []
    began = time.monotonic()
    for number in range(BURST):
        span = time.monotonic() - began
        overwrite(path, b"%d\n" % (first + number))
        due = began + (number + 1) * BURST_SECONDS / BURST
        while (left := due - time.monotonic()) > 0 and (line := host.line(left)) is not None:
            events.append((time.monotonic() - began, line))
    while (line := host.line(BURST_SECONDS)) is not None:
        events.append((time.monotonic() - began, line))
    return events, span


def burst_of_writes(stage):
    """20 writes in a second are at most 5 events, the first within 100 ms, the last with the last value"""
    path, first, delays = os.path.join(stage.root, PARAMETER), 300000, []
    with stage.synced() as host:
        host.ask(WATCH)
        for _ in range(3):
            time.sleep(BURST_SECONDS)
            first += BURST
            events, span = burst(host, path, first)
            require(events, "no event")
            delays.append(events[0][0])
            # The first, one for each pace, and one for the last write: 5, unless the machine is slow to write.
            require(len(events) <= 2 + int(span / PACE_SECONDS), f"{len(events)} events in {span:.2f} s")
            got = setting("actual")(haltpoll(events[-1][1]["data"]))
            require(got == f"{first + BURST - 1}", f"the last event has the value {got}")
    print(f"# the first event came after {', '.join(f'{delay * 1000:.1f}' for delay in delays)} ms")
    require(min(delays) < 0.1, "the first event came late each time")


def deaf_daemon(stage):
    """without an inotify instance it starts, warns, and finds a change when it is asked"""
    # The limit is that of a user namespace: to use up those of the user would disturb all that runs beside.
    wrapper = ("unshare", "--user", "--map-root-user", "sh", "-c",
               'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"', "sh")
    require_wrapper(wrapper)
    stage.stop()
    log = pathlib.Path(stage.directory, "log")
    with log.open("wb") as file:
        stage.start(*wrapper, stderr=file)
    with stage.synced() as host:
        require_told_when_stale(host, lambda number: replace(stage.policy, POLICY % (100001 + number)))
        os.rename(os.path.join(stage.root, PARAMETERS), os.path.join(stage.root, "away"))
        time.sleep(STALE_SECONDS + 0.01)
        require(setting("actual")(ask_haltpoll(host)) is None, "a directory that is gone is not told")
    said = log.read_text(encoding="utf-8", errors="replace")
    require("fs.inotify.max_user_instances" in said, f"it does not warn, but says {said!r}")


BLS_ENTRY = b"title Linux %d\nlinux /vmlinuz-5.10.0-%d\noptions root=/dev/vda1 ro\n"


class BlsEntries:
    """Many boot entries in files of their own, so that a plan has many changes."""

    def __init__(self, stage, number):
        self.directory, self.number = os.path.join(stage.root, "boot/loader/entries"), number
        self.last_is_there = True
        os.makedirs(self.directory)
        for each in range(number):
            self.write(each)
        replace(os.path.join(stage.root, "boot/grub2/grub.cfg"), b"set timeout=5\ninsmod blscfg\nblscfg\n")

    def path(self, number):
        return os.path.join(self.directory, f"5.10.0-{number}.conf")

    def write(self, number):
        replace(self.path(number), BLS_ENTRY % (number, number))

    def change(self):
        """The last entry goes and comes."""
        if self.last_is_there:
            os.unlink(self.path(self.number - 1))
        else:
            self.write(self.number - 1)
        self.last_is_there = not self.last_is_there


def ask_page(host, offset):
    """A page of the plan, which is as doc/host.md says."""
    answer = host.ask(b'{"execute":"gtune-plan","arguments":{"offset":%d}}' % offset, PATIENCE)
    require("return" in answer, f"offset {offset}: {answer}")
    page = answer["return"]
    end = offset + len(page["changes"])
    require(page["refusal"] is None, f"offset {offset}: {page['refusal']}")
    require(page["offset"] == offset, f"offset {offset}: {str(page)[-200:]}")
    require(page["next"] == (end if end < page["total"] else None), f"offset {offset}: {str(page)[-200:]}")
    require(all(each["kind"] and each["path"] for each in page["changes"]), f"offset {offset}: a change without a path")
    return page


def ask_plan(host):
    """All changes of a plan, and the totals that its pages tell."""
    changes, totals, offset = [], set(), 0
    while offset is not None:
        page = ask_page(host, offset)
        changes += page["changes"]
        totals.add(page["total"])
        offset = page["next"]
    return changes, totals


def settle(host):
    """Waits until what has changed is read: by what is being read now, or by what is read after it."""
    for _ in range(2):
        time.sleep(QUIET_SECONDS)
        ask_haltpoll(host)


def require_plan(host, number, wanted):
    """The plan has so many files, each once, and the value that the policy wants."""
    changes, _ = ask_plan(host)
    values = [each["new"] for each in changes if each["kind"] == "attribute"]
    require(values == [wanted], f"the plan is to write {values}, not {wanted}")
    require(len({each["path"] for each in changes}) == len(changes) == number, f"{len(changes)} changes, not {number}")


def plan_while_changing(stage):
    """a plan in pages: each is valid while others change its sources, and a change is in the next plan"""
    entries = BlsEntries(stage, 4000)
    with stage.synced() as host:
        settle(host)
        _, totals = ask_plan(host)
        whole = max(totals)
        require(whole > 4000, f"a plan of only {whole} changes")
        with repeatedly(entries.change, 0.02):
            end = time.monotonic() + 4
            while time.monotonic() < end:
                stage.change()
                _, totals = ask_plan(host)
                require(totals <= {whole, whole - 1}, f"plans of {totals} changes, not {whole}")
        settle(host)
        for _ in range(3):
            time.sleep(QUIET_SECONDS)
            stage.change()
            require_plan(host, whole - (not entries.last_is_there), f"{200000 + stage.count}")


def plan_after_a_stop(stage):
    """a plan that takes more than a second, because the guest was stopped, is answered as any other"""
    second, parameter = os.path.join(stage.directory, "second"), os.path.join(stage.root, PARAMETER)
    BlsEntries(stage, 4000)
    stage.stop()
    os.link(parameter, second)  # so that nothing is heard of a change
    stage.start()
    with stage.synced() as host:
        for number in range(5):
            stage.change()
            time.sleep(QUIET_SECONDS)
            ask_haltpoll(host)
            host.send(b'{"execute":"gtune-plan"}')
            time.sleep(0.005 * (number + 1))
            stage.process.send_signal(signal.SIGSTOP)
            overwrite(second, b"%d\n" % (210000 + number))
            time.sleep(STALE_SECONDS + 0.1)
            stage.process.send_signal(signal.SIGCONT)
            answer = host.line(PATIENCE)
            require(answer is not None and "return" in answer, f"stopped after {number + 1} times 5 ms: {answer}")


def silent_while_reading(stage):
    """a change without a notice, made while another is read, is told a second later too"""
    menu, second, third = Menu(stage), os.path.join(stage.directory, "second"), os.path.join(stage.directory, "third")
    menu.put()
    replace(stage.policy, POLICY % 100000)
    stage.stop()
    os.link(stage.policy, second)
    os.link(menu.path, third)
    stage.start()
    with stage.synced() as host:
        for number in range(4):
            time.sleep(STALE_SECONDS)
            overwrite(third, b"\n#\n"[number % 2:][:2])  # the next answer finds it, and reads the menu
            host.send(STATUS)
            time.sleep(0.05)
            overwrite(second, POLICY % (100001 + number))
            end = time.monotonic() + STALE_SECONDS + 0.01
            require(host.line(PATIENCE) is not None, "no answer")
            time.sleep(max(0.0, end - time.monotonic()))
            got = setting("wanted")(ask_haltpoll(host))
            require(got == f"{100001 + number}", f"write {number} is not told, but {got}")


CHANGING_CASES = (
    pings_while_reading, asked_while_reading, vanish_and_return, replaced_on_the_way, silent_changes, mounted_file,
    burst_of_writes, deaf_daemon, plan_while_changing, plan_after_a_stop, silent_while_reading,
)


def ending_well(case):
    """The case, and the end of its daemon."""
    @functools.wraps(case)
    def play_and_stop(stage):
        case(stage)
        stage.stop()
    return play_and_stop


def run_changing_cases(program, tree, cases=CHANGING_CASES):
    """Plays each case against a daemon of its own, which has to end well. Returns as run_cases()."""
    counts = [0, 0, 0]
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="gtuned-host-") as directory:
            stage = ListenStage(program, tree, directory)
            try:
                play(counts, print, stage, ending_well(case))
            finally:
                stage.kill()
    return tuple(counts)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    quick = "--quick" in sys.argv[3:]
    cases = CASES + (apply_request, apply_without_answer, apply_and_leave, socket_is_private, reload, second_daemon)

    def idle_enough(stage):
        idle(stage, 5 if quick else 60)
    idle_enough.__doc__ = idle.__doc__

    with tempfile.TemporaryDirectory(prefix="gtuned-host-") as directory:
        stage = ListenStage(os.path.abspath(sys.argv[1]), sys.argv[2], directory)
        try:
            counts = run_cases(stage, cases + (idle_enough,))
            last = run_cases_after(stage, (stale_socket, leaves_nothing))
        finally:
            stage.kill()

    changing = run_changing_cases(stage.program, sys.argv[2])
    passed, failed, skipped = map(sum, zip(counts, last, changing))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def run_cases_after(stage, cases):
    """Those that end the daemon."""
    counts = [0, 0, 0]
    for case in cases:
        play(counts, print, stage, case)
    return tuple(counts)


if __name__ == "__main__":
    sys.exit(main())
