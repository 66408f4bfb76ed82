#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks guests that lie. Usage: lying-guests.py GTUNE_HOST

Each guest is a UNIX socket that this process serves. Each behaviour is a function or a coroutine. Every
check prints a line, and the last line counts them.
"""
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

import guests
from guests import Host, answers, events, practice, raw, report, returns, silent
from tool import MARGIN, SANITIZED, TIMEOUT, TOOL, Run, check, check_rss, finish, skip

ESC = "\x1b]0;owned\x07\x1b[31m\x7f\u202e\u009b1m"

LIES = {  # name: (behaviour, outcome, reason)
    "honest": (returns(report()), "ok", None),
    "wrong-then-right": (guests.wrong_then_right, "ok", None),
    "stale-bytes": (guests.stale_bytes, "ok", None),
    "opens-late": (guests.opens_late, "ok", None),
    "byte-by-byte": (guests.byte_by_byte, "ok", None),
    "escapes": (returns(report(practice(name=ESC, code=ESC), version=ESC,
                               errors=[{"file": ESC, "line": 4, "reason": ESC}])), "ok", None),
    "silent": (silent, "no-answer", "silent"),
    "half-line": (guests.half_line, "no-answer", "half-line"),
    "closes": (guests.closes, "no-answer", "closed"),
    "closes-after-sync": (guests.closes_after_sync, "no-answer", "closed"),
    "endless-before-sync": (guests.endless_before_sync, "invalid", "too-much"),
    "endless-after-sync": (guests.endless_after_sync, "invalid", "line-too-long"),
    "nesting-before-sync": (guests.nesting_before_sync, "invalid", "too-much"),
    "nesting-after-sync": (guests.nesting_after_sync, "invalid", "line-too-long"),
    "nesting-10000": (raw(b"[" * 10000 + b"]" * 10000), "invalid", "too-deep"),
    "nesting-33": (raw(b"[" * 32 + b"]" * 32), "invalid", "too-deep"),
    "marks-for-ever": (guests.marks_for_ever, "invalid", "too-much"),
    "syncs-for-ever": (guests.syncs_for_ever, "invalid", "too-much"),
    "wrong-ids-for-ever": (guests.wrong_ids_for_ever, "invalid", "wrong-id"),
    "many-objects": (raw(b"[" + b"{}," * 300000 + b"{}]"), "invalid", "too-many-values"),
    "many-values": (raw(b"[" + b"0," * 500000 + b"0]"), "invalid", "too-many-values"),
    "wrong-ids": (guests.wrong_ids, "invalid", "wrong-id"),
    "wrong-syncs": (guests.wrong_syncs, "invalid", "no-sync"),
    "not-json": (answers(lambda i: b"garbage here"), "invalid", "not-json"),
    "not-an-object": (answers(lambda i: b"[1, 2]"), "invalid", "not-a-reply"),
    "no-kind": (answers(lambda i: {"id": i}), "invalid", "not-a-reply"),
    "both-kinds": (answers(lambda i: {"id": i, "return": report(), "error": {}}), "invalid", "not-a-reply"),
    "nan": (raw(b'{"schema": NaN}'), "invalid", "not-json"),
    "bad-number": (raw(b"[01, 1.]"), "invalid", "not-json"),
    "control-byte": (raw(b'"\x1b[31m"'), "invalid", "not-json"),
    "bad-utf8": (raw(b'"\xc3("'), "invalid", "not-json"),
    "nul-byte": (raw(b'"\x00"'), "invalid", "not-json"),
    "null": (returns(None), "invalid", "bad-report"),
    "empty": (returns({}), "invalid", "bad-report"),
    "no-practices-list": (returns(report(practices={"name": "x"})), "invalid", "bad-report"),
    "null-practice": (returns(report(practices=[None])), "invalid", "bad-report"),
    "bad-state": (returns(report(practice(state="excellent"))), "invalid", "bad-report"),
    "nul-state": (returns(report(practice(state="active\0x"))), "invalid", "bad-report"),
    "number-for-name": (returns(report(practice(name=5))), "invalid", "bad-report"),
    "long-name": (returns(report(practice(name="n" * 65))), "invalid", "bad-report"),
    "65-practices": (returns(report(*[practice()] * 65)), "invalid", "bad-report"),
    "schema-2": (returns(report(schema=2)), "invalid", "bad-report"),
    "bad-evidence": (returns(report({**practice(), "evidence": [{"source": [], "value": 1}]})),
                     "invalid", "bad-report"),
    "error": (answers(lambda i: {"id": i, "error": {"class": "CommandNotFound", "desc": ESC}}),
              "error", "guest-error"),
    "empty-error": (answers(lambda i: {"id": i, "error": {}}), "error", "guest-error"),
}


def test_lies(host):
    expected = {host.add(name, serve): (outcome, reason) for name, (serve, outcome, reason) in LIES.items()}
    expected[host.path("nothing-there")] = ("absent", "no-such-socket")
    expected[host.add_stale("stale")] = ("refused", "connection-refused")
    expected[host.add_busy("busy")] = ("no-answer", "busy")
    os.makedirs(host.path("d" * 120))
    long_path = host.path("d" * 120 + "/s")
    os.symlink(host.path("honest"), long_path)
    expected[long_path] = ("ok", None)

    run = Run("--json", "status", *expected)
    found = {o["target"]: o for o in run.objects()}
    for path, (outcome, reason) in expected.items():
        got = found.get(path, {})
        name = os.path.basename(path)
        check(f"{name}: {outcome}{', ' + reason if reason else ''}",
              (got.get("outcome"), got.get("reason")) == (outcome, reason),
              {k: v for k, v in got.items() if k != "report"})
    check("status --json: every target once, in order", [o["target"] for o in run.objects()] == list(expected))
    check("status --json: only ASCII without control bytes", run.clean())
    check("all lies at once take one deadline", run.seconds < TIMEOUT + MARGIN, run.seconds)
    check("all lies at once exit 1", run.status == 1, run.status)
    check_rss("all lies at once", run)

    run = Run("status", *expected)
    check("status: every target is named", all(path in run.out for path in expected))
    check("status: only ASCII without control bytes", run.clean())
    check("status: escapes are printed as text", "\\x1b[31m\\x7f" in run.out)
    for path, (outcome, _) in expected.items():
        single = Run("status", path)
        want = {"ok": 0, "error": 1}.get(outcome, 6) if os.path.basename(path) != "escapes" else 1
        check(f"{os.path.basename(path)} alone exits {want}",
              single.status == want and single.seconds < TIMEOUT + MARGIN, (single.status, single.seconds))


def test_many(host):
    paths, want = [], []
    for i in range(200):
        quiet = i % 4 == 1
        paths.append(host.add(f"many-{i}", silent if quiet else returns(report(practice(code=f"g{i}")))))
        want.append("no-answer" if quiet else "ok")
    run = Run("--json", "status", *paths)
    check("200 guests, 50 silent: each named", run.outcomes() == want)
    check("200 guests, 50 silent: each its own report",
          all(o["report"]["practices"][0]["reason_code"] == f"g{i}"
              for i, o in enumerate(run.objects()) if "report" in o))
    check(f"200 guests, 50 silent: {run.seconds:.2f} s", TIMEOUT <= run.seconds < TIMEOUT + MARGIN, run.seconds)
    check("200 guests, 50 silent: exit 6", run.status == 6, run.status)
    check_rss("200 guests, 50 silent", run)

    honest = [p for p, w in zip(paths, want) if w == "ok"]
    run = Run("--json", "status", *honest, files=40)
    check("150 guests with 40 files: all answer", run.outcomes() == ["ok"] * 150 and run.status == 0)
    run = Run("status", *honest)
    check(f"150 honest guests: {run.seconds:.2f} s, exit 0", run.seconds < 1 + MARGIN and run.status == 0)

    run = Run("--json", "status", *[host.path(f"absent-{i}") for i in range(10000)])
    check("10,000 absent targets: each named", run.outcomes() == ["absent"] * 10000, run.err)


def test_memory(host):
    fat = json.dumps(report(practice(), junk="\u00e9" * 50000 + "x" * 400000), ensure_ascii=False).encode()

    async def unfinished(guest):
        await guest.sync()
        await guest.send(b'{"return": "' + b"A" * 1000000, b"")
        await guest.reader.read()

    paths = [host.add("first-is-silent", silent)]
    paths += [host.add(f"fat-{i}", unfinished if i % 2 else raw(fat)) for i in range(200)]
    paths += [host.add(f"thin-{i}", returns(report())) for i in range(20)]
    run = Run("--timeout", str(3 * TIMEOUT), "--json", "status", *paths)
    check("200 fat guests: the 20 thin ones are printed", [o["outcome"] for o in run.objects()[-20:]] == ["ok"] * 20)
    check("200 fat guests: guests that were given up have the reason memory",
          any(o["reason"] == "memory" for o in run.objects()))
    if SANITIZED:
        skip("200 fat guests: time", "AddressSanitizer is in the program")
    else:
        check(f"200 fat guests: {run.seconds:.2f} s", run.seconds < 3 * TIMEOUT + MARGIN, run.seconds)
    check_rss("200 fat guests", run)


def test_statuses(host):
    table = {
        "ok": (0, [practice()]),
        "off": (0, [practice(state="off", wanted="off")]),
        "observed": (0, [practice(state="differs", wanted=None), practice(state="unknown", wanted=None)]),
        "unmanaged": (0, [practice(state="unmanaged", wanted="off")]),
        "not-wanted": (0, [practice(state="unsupported", wanted="off")]),
        "reboot": (4, [practice(state="pending-reboot")]),
        "reboot-off": (4, [practice(state="pending-reboot", wanted="off")]),
        "differs": (3, [practice(state="differs")]),
        "drifted": (3, [practice(state="pending-reboot"), practice(state="drifted")]),
        "conflict": (5, [practice(state="drifted"), practice(state="conflict")]),
        "unsupported": (5, [practice(state="unsupported")]),
        "unknown": (5, [practice(state="unknown")]),
    }
    paths = {}
    for name, (want, practices) in table.items():
        paths[name] = host.add("status-" + name, returns(report(*practices)))
        check(f"a guest with {name} exits {want}", Run("status", paths[name]).status == want)
    errors = [{"file": "/etc/x", "line": 4, "reason": "no"}]
    paths["policy"] = host.add("status-policy", returns(report(errors=errors)))
    for names, want in [
            (("policy", "gone", "conflict"), 1),
            (("ok", "gone", "conflict"), 6),
            (("conflict", "drifted", "reboot"), 5),
            (("reboot", "drifted", "ok"), 3),
            (("ok", "reboot"), 4),
            (("ok", "off"), 0)]:
        run = Run("status", *[paths.get(n, host.path(n)) for n in names])
        check(f"{', '.join(names)} exit {want}", run.status == want, run.status)


def test_query(host):
    async def echo(guest):
        while True:
            request = await guest.sync()
            answer = {"execute": request["execute"], "arguments": request.get("arguments")}
            await guest.send({"return": answer, "id": request["id"]})

    paths = [host.add("echo-0", echo), host.path("nothing"), host.add("echo-1", echo)]
    run = Run("query", "guest-ping", '{"n": 5, "s": "\u00fc"}', *paths)
    check("query: one line a target, in order", run.outcomes() == ["ok", "absent", "ok"] and run.status == 6)
    check("query: the command and its arguments arrive",
          run.objects()[2].get("return") == {"execute": "guest-ping", "arguments": {"n": 5, "s": "\u00fc"}}, run.out)
    run = Run("query", "guest-ping", paths[0], paths[0])
    check("query: the same target twice", run.outcomes() == ["ok", "ok"] and run.status == 0)
    run = Run("query", "x", host.path("error"))
    check("query: an error has its class", run.objects()[0]["error"]["class"] == "CommandNotFound" and run.status == 1)
    run = Run("query", "x", host.add("odd", raw(b'[-0, 1e5, 12345678901234567890, "\\u0000\\u001b\x7f", null, true]')))
    check("query: odd values are printed as JSON", run.clean() and run.objects()[0]["return"][4:] == [None, True],
          run.out)


def watch(host, serve, *options, until=None):
    """Watch one guest; send SIGINT after the text until was printed, or wait for the end."""
    path = host.add(f"watch-{time.monotonic_ns()}", serve)
    process = subprocess.Popen([TOOL, "--timeout", str(TIMEOUT), *options, "watch", path], stdout=subprocess.PIPE)
    guard = threading.Timer(TIMEOUT + 8, process.kill)
    guard.start()
    lines = []
    for line in process.stdout:
        lines.append(line.decode("ascii", "replace"))
        if until and until in lines[-1]:
            process.send_signal(signal.SIGINT)
            until = None
    guard.cancel()
    return lines, process.wait()


def test_watch(host):
    drifted = {"practices": [practice(state="drifted", code="tunable-changed")]}
    lines, status = watch(host, events(drifted), until="drifted")
    check("watch: first states, a change, SIGINT exits 0",
          status == 0 and "active" in lines[2] and "tunable-changed" in lines[-1], lines)
    changed = {"practices": [{**practice(), "was": [{"name": "guest_halt_poll_ns", "wanted": "400000",
                                                     "actual": ESC}]}]}
    lines, status = watch(host, events(changed), until="->")
    check("watch: the setting that changed is named, and escaped", status == 0 and lines[-1].startswith(
        "    guest_halt_poll_ns: \\x1b]0;owned") and lines[-1].endswith(" -> 400000\n"), lines)
    lines, status = watch(host, events(drifted, stay=False), "--json")
    objects = [json.loads(line) for line in lines]
    check("watch --json: report, change, and the guest that closed", status == 6 and [sorted(o) for o in objects] == [
        ["outcome", "reason", "report", "target", "time"], ["practices", "target", "time"],
        ["outcome", "reason", "target", "time"]] and objects[2]["reason"] == "closed", lines)
    for name, serve, reason in [("silent", silent, "silent"), ("bad event", events({"practices": 5}), "bad-event"),
                                ("no data", events(None), "bad-event"),
                                ("bad was", events({"practices": [{**practice(), "was": [5]}]}), "bad-event"),
                                ("flood", events(*[drifted] * 500, gap=0), "flood")]:
        lines, status = watch(host, serve, "--json")
        check(f"watch: {name}", status == 6 and json.loads(lines[-1])["reason"] == reason, lines[-1:])
    lines, status = watch(host, events(drifted, name="OTHER", stay=False), "--json")
    check("watch: an event of another name is ignored", len(lines) == 2, lines)


def test_watch_limit(host):
    """Above the limit of open files the guests that are not watched are named, once the others have answered."""
    paths = [host.add(f"watched-{i}", events(gap=3600)) for i in range(30)]
    process = subprocess.Popen([TOOL, "--json", "watch", *paths], stdout=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (36, 36)))
    guard = threading.Timer(TIMEOUT + 30, process.kill)
    guard.start()
    objects = [json.loads(process.stdout.readline()) for _ in paths]
    process.send_signal(signal.SIGINT)
    guard.cancel()
    process.communicate()
    named = [o["target"] for o in objects if o["outcome"] == "error"]
    check("watch: guests above the limit of open files are named", named == paths[len(paths) - len(named):] and
          len(named) >= 10 and process.returncode == 1, (len(named), process.returncode))


def test_late(host):
    """gtune-host is stopped before it is answered, and goes on after the deadline: the guest is asked all the same."""
    tools = []

    async def serve(guest):
        request = await guest.request()
        while not tools:
            await asyncio.sleep(0.01)
        tools[0].send_signal(signal.SIGSTOP)
        await guest.send(b"\xff" + json.dumps({"return": request["arguments"]["id"]}).encode())
        await asyncio.sleep(TIMEOUT + 0.5)
        tools[0].send_signal(signal.SIGCONT)
        request = await guest.sync()
        await asyncio.sleep(0.3)
        await guest.send({"return": report(), "id": request["id"]})
        await guest.reader.read()

    tools.append(subprocess.Popen([TOOL, "--timeout", str(TIMEOUT), "--json", "status", host.add("late", serve)],
                                  stdout=subprocess.PIPE))
    out = json.loads(tools[0].communicate()[0])
    check("a guest that gtune-host was late to ask is asked", out["outcome"] == "ok", out)


def test_usage(host):
    ok = host.path("honest")
    bad = [("status",), ("nonsense", ok), (), ("status", ""), ("--nonsense",),
           ("query",), ("query", "x"), ("query", ok), ("query", "x", "{bad", ok), ("query", "x", "{}", ""),
           ("query", "x", '{"a": ' + "[" * 40 + "]" * 40 + "}", ok),
           ("query", "x", json.dumps({"a": "b" * 70000}), ok)]
    bad += [("--timeout", t, "status", ok) for t in ("0", "0.0", "-1", "x", "", "inf", "nan", "0x10", "1e3", " 1",
                                                     "1.2.3", "86401", "9" * 400)]
    for args in bad:
        run = Run(*args)
        shown = " ".join(args).replace(host.directory, "")[:50]
        check(f"usage: {shown}", run.status == 2 and run.err and not run.out, (run.status, run.err))
    check("--help and --version", Run("--help").status == 0 and Run("--version").status == 0)
    with open("/dev/full", "wb") as full:
        run = Run("status", ok, stdout=full)
    check("a full standard output exits 1", run.status == 1 and "space" in run.err, (run.status, run.err))
    for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        status = subprocess.call(["sh", "-c", f'"$0" status "$1" {closed}', TOOL, ok], stderr=subprocess.DEVNULL)
        check(f"closed files ({closed}) exit 1", status == 1, status)
    status = subprocess.call(["bash", "-c", '"$0" status "$@" | true; exit ${PIPESTATUS[0]}', TOOL, *[ok] * 50])
    check("no program reads standard output", status in (0, 1, 128 + signal.SIGPIPE), status)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="gt-") as directory:
        host = Host(directory)
        for test in (test_lies, test_many, test_memory, test_statuses, test_query, test_watch, test_watch_limit,
                     test_late, test_usage):
            test(host)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
