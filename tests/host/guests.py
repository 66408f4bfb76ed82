# SPDX-License-Identifier: Apache-2.0
"""Guests for tests of gtune-host: UNIX sockets that a thread of this process serves. A behaviour is a coroutine that
takes one connection.
"""
import asyncio
import json
import os
import socket
import threading


def practice(name="haltpoll", state="active", wanted="on", code=None):
    return {"name": name, "wanted": wanted, "state": state, "held": False, "reason_code": code, "reason": None,
            "remedy": None, "settings": [{"name": "guest_halt_poll_ns", "wanted": "400000", "actual": "400000"}],
            "evidence": [{"source": "/sys/devices/system/cpu/cpuidle/current_driver", "value": "haltpoll"}]}


def report(*practices, errors=(), **more):
    return {"schema": 1, "version": "0.1.0", "boot_id": "b", "observed_at": "2026-11-22T09:28:00Z",
            "machine": {"arch": "aarch64", "kernel": "5.10.0-60", "virtualization": "kvm", "possible_cpus": 4,
                        "os": {"id": "openEuler", "version_id": "22.03"}, "dedicated_hint": None, "cmdline": "ro"},
            "policy": {"files": ["/etc/gtuned/gtuned.conf"], "errors": list(errors)}, "last_apply": None,
            "practices": list(practices) or [practice()], "reboot_needed": False, "a_new_field": [1], **more}


class Guest:
    """One connection: reads requests, and can sync as an honest agent does."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def request(self):
        while True:
            line = await self.reader.readline()
            if not line:
                raise ConnectionError
            text = line.split(b"\xff")[-1].strip()
            if text:
                return json.loads(text)

    async def send(self, data, end=b"\n"):
        self.writer.write((data if isinstance(data, bytes) else json.dumps(data).encode()) + end)
        await self.writer.drain()

    async def sync(self):
        """Answer syncs; return the first other request."""
        while True:
            request = await self.request()
            if request["execute"] != "guest-sync-delimited":
                return request
            await self.send(b"\xff" + json.dumps({"return": request["arguments"]["id"]}).encode())

    async def flood(self, data):
        while True:
            await self.send(data, b"")


def answers(make):
    """A guest that syncs and then sends the return value of make(id): bytes or an object."""
    async def serve(guest):
        request = await guest.sync()
        await guest.send(make(request["id"]))
        await guest.reader.read()
    return serve


def returns(value):
    return answers(lambda i: {"return": value, "id": i})


def raw(text):
    """A guest that returns this JSON text."""
    return answers(lambda i: b'{"return": ' + text + b', "id": %d}' % i)


async def silent(guest):
    while await guest.reader.read(65536):
        pass


async def closes(guest):
    pass


async def closes_after_sync(guest):
    await guest.sync()


async def endless_before_sync(guest):
    await guest.flood(b"A" * 65536)


async def endless_after_sync(guest):
    await guest.sync()
    await guest.flood(b'{"return": "' + b"A" * 65536)


async def nesting_before_sync(guest):
    await guest.flood(b"[" * 1000000)


async def nesting_after_sync(guest):
    await guest.sync()
    await guest.send(b"[" * 10000000)


async def marks_for_ever(guest):
    await guest.flood(b"\xff" * 65536 + b'{"return": 1}\n')


async def syncs_for_ever(guest):
    await guest.flood(b'\xff{"return": 5}\n' * 3000)


async def wrong_ids_for_ever(guest):
    await guest.sync()
    await guest.flood(b'{"return": [5], "id": 0}\n' * 3000)


async def half_line(guest):
    request = await guest.sync()
    await guest.send(b'{"return": {"schema": 1, "id": %d' % request["id"], b"")
    await guest.reader.read()


async def wrong_ids(guest):
    request = await guest.sync()
    for wrong in (request["id"] + 1, str(request["id"]), None, [request["id"]], 1e300, 2 ** 70, -request["id"]):
        await guest.send({"return": report(), "id": wrong})
    await guest.send({"return": report()})
    await guest.send({"error": {"class": "GenericError", "desc": "JSON parse error"}})
    await guest.send({"event": "GTUNE_CHANGED", "data": {"practices": [practice()]}})
    await guest.reader.read()


async def wrong_syncs(guest):
    while True:
        request = await guest.request()
        await guest.send(b"\xff" + json.dumps({"return": request["arguments"]["id"] + 1}).encode())


async def wrong_then_right(guest):
    request = await guest.sync()
    await guest.send({"return": report(practice(state="conflict")), "id": request["id"] + 1})
    await guest.send({"error": {"class": "GenericError", "desc": "JSON parse error, stray"}})
    await guest.send({"return": report(), "id": request["id"]})
    await guest.reader.read()


async def stale_bytes(guest):
    await guest.send(b'{"return": {"schema": 1, "stale": "' + b"x" * 100000, b"")
    await guest.send(b'\xff{"return": 7}\n\n\n{"error": {"class": "G", "desc": "stray"}}')
    await returns(report())(guest)


async def opens_late(guest):
    await guest.request()
    await returns(report())(guest)


async def byte_by_byte(guest):
    request = await guest.sync()
    for byte in json.dumps({"return": report(), "id": request["id"]}).encode() + b"\n":
        await guest.send(bytes([byte]), b"")
    await guest.reader.read()


def events(*data, gap=0.05, stay=True, name="GTUNE_CHANGED"):
    async def serve(guest):
        request = await guest.sync()
        assert request["execute"] == "gtune-watch"
        await guest.send({"return": report(), "id": request["id"]})
        for d in data:
            await asyncio.sleep(gap)
            await guest.send({"event": name, "timestamp": {"seconds": 1, "microseconds": 2}, "data": d})
        if stay:
            await guest.reader.read()
    return serve


class Host:
    """Serves sockets below a directory in a separate thread."""

    def __init__(self, directory):
        self.directory = directory
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def path(self, name):
        return os.path.join(self.directory, name)

    def add(self, name, behaviour):
        async def serve(reader, writer):
            try:
                await behaviour(Guest(reader, writer))
            except (ConnectionError, asyncio.IncompleteReadError, ValueError):
                pass
            finally:
                writer.close()

        start = asyncio.start_unix_server(serve, self.path(name), backlog=128)
        asyncio.run_coroutine_threadsafe(start, self.loop).result()
        return self.path(name)

    def add_busy(self, name):
        """A socket whose backlog is full, and no program accepts connections."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(self.path(name))
        server.listen(0)
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.path(name))
        setattr(self, "keep_" + name, (server, client))
        return self.path(name)

    def add_stale(self, name):
        server = socket.socket(socket.AF_UNIX)
        server.bind(self.path(name))
        server.close()
        return self.path(name)
