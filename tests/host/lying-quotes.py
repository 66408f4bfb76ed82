#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks guests for their PCRs and for quotes that are forged in every way. Usage: lying-quotes.py GTUNE_HOST

The TPMs are simulated in Python, so a forger here has every key. If swtpm and tpm2-tools are installed, a real TPM
quotes as well, and tpm2_checkquote checks the files of --write. Every check prints a line, and the last line counts
the checks.
"""
import fcntl
import hashlib
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile

import soft_tpm
from forgeries import BAD, ESC, FORGED, MEASURED, MINE, NO_ANSWER, OTHER, REPORT, another_report, changed, flip
from forgeries import honest, quotes, replayed
from guests import Host, answers, practice, report, silent
from real_tpm import RealTpm
from soft_tpm import OWNER, Tpm
from tool import MARGIN, TIMEOUT, TOOL, Run, check, check_rss, finish, skip


def ask(host, serve, *options, name="guest"):
    """Ask one new guest. Return: the run, and its object."""
    path = host.add(f"{name}-{ask.count}", serve)
    ask.count += 1
    run = Run("--json", *options, "quote", path)
    return run, (run.objects() or [{}])[0]


ask.count = 0


def test_good(host):
    run, o = ask(host, honest())
    quote = o.get("quote", {})
    check("good: verified, exit 0", (run.status, o.get("outcome"), o.get("reason")) == (0, "ok", None), (o, run.err))
    check("good: the report is that of the guest", o.get("report") == json.loads(REPORT), o)
    check("good: the key is unverified without a name", quote.get("key") == {
        "name": MINE.name().hex(), "status": "unverified", "guest": None, "other_guest": None,
        "first_seen": None, "endorsement": True}, quote)
    check("good: PCRs, counters, version", quote.get("selection") == "0-9,14" and quote.get("bank") == "sha256" and
          quote["pcrs"]["sha256"]["14"] == MINE.banks["sha256"][14].hex() and quote["clock"] == {
              "milliseconds": 123456, "reset_count": 5, "restart_count": 1, "safe": True} and
          quote["firmware_version"] == 0x0123456789abcdef, quote)
    check("good: the nonce has 32 bytes, the qualifying data belongs to it", len(quote["nonce"]) == 64 and
          quote["qualifying_data"] == soft_tpm.qualifying_data(bytes.fromhex(quote["nonce"]), REPORT).hex(), quote)
    again = ask(host, honest())[1]
    check("good: each nonce is a new one", again["quote"]["nonce"] != quote["nonce"])
    for bank in soft_tpm.BANKS:
        o = ask(host, honest(), "--bank", bank, "--pcrs", "23,0,1")[1]
        check(f"good: bank {bank}", o.get("quote", {}).get("selection") == "0,1,23" and o["quote"]["bank"] == bank, o)
    for size in (16, 64):
        o = ask(host, honest(), "--nonce", "aB" * size)[1]
        check(f"good: a nonce of {size} bytes", o.get("quote", {}).get("nonce") == "ab" * size, o)
    o = ask(host, honest(Tpm(hierarchy=OWNER)))[1]
    check("good: a key of another hierarchy is reported", o["quote"]["key"]["endorsement"] is False, o)
    for state, status in (("drifted", 3), ("pending-reboot", 4), ("conflict", 5)):
        run, o = ask(host, honest(text=another_report(state).encode()))
        check(f"good: a report with {state} exits {status}", run.status == status and o["outcome"] == "ok", o)
    test_good_text(host)


def words(run):
    return " ".join(run.out.split())


def test_good_text(host):
    path = host.add("text", honest(text=json.dumps(report(practice(name=ESC), practice())).encode()))
    run = Run("quote", path, host.path("gone"))
    check("text: practices, the quote, and what it proves", run.status == 6 and run.clean() and all(
        word in words(run) for word in ("\\x1b", "haltpoll", "quote unverified sha256:0-9,14", MINE.name().hex(),
                                        "UNVERIFIED", "absent", "any program", "even without a TPM",
                                        "If its key is that of the guest's TPM, the quote proves the PCR values, and "
                                        "that this report came with them.", "the guest's own word",
                                        "Resets of the TPM so far: 5; restarts since the last reset: 1.")), run.out)
    check("text: without a name nothing is called verified", " verified" not in run.out and
          "any TPM" not in run.out, run.out)
    options = ("--keys", host.path("text-keys"), "--name", "text")
    run = Run(*options, "quote", path)
    check("text: a key that is new is believed because it came first", all(
        word in words(run) for word in ("quote verified sha256:0-9,14", "It is believed because it came first.",
                                        "The quote proves the PCR values", "own word")) and
          "UNVERIFIED" not in run.out, run.out)
    run = Run(*options, "quote", path)
    check("text: the second time it is known", run.status == 0 and "came first" not in words(run) and
          "known since" in words(run), run.out)
    run = Run("quote", host.add("forged-text", honest(magic=1)))
    check("text: why it is refused", run.status == 1 and "bad-quote       magic\n" in run.out and
          "forged" in run.out and "haltpoll" not in run.out, run.out)
    check("text: 80 columns", all(len(line) <= 80 for line in run.out.splitlines()), run.out)


def test_forged(host):
    details = {}
    for name, (serve, reason) in FORGED.items():
        run, o = ask(host, serve)
        details[o.get("reason")] = o.get("detail")
        check(f"{name}: {reason}", (run.status, o.get("outcome"), o.get("reason")) == (1, BAD, reason) and
              len(o.get("detail", "")) > 20 and "report" not in o and "quote" not in o, o)
    for name, (serve, reason) in NO_ANSWER.items():
        run, o = ask(host, serve)
        check(f"{name}: {reason}", (run.status, o.get("outcome"), o.get("reason")) == (6, "invalid", reason) and
              run.clean() and "report" not in o, o)
    path = host.add("replayed", replayed())
    check("replayed: the first time it is good", Run("quote", path).status == 0)
    run = Run("--json", "quote", path)
    check("replayed: nonce", (run.status, run.objects()[0]["reason"]) == (1, "nonce"), run.out)
    run, o = ask(host, answers(lambda i: {"id": i, "error": {"class": "GenericError", "desc": "no TPM" + ESC}}))
    check("a guest without a TPM: guest-error, exit 1", (run.status, o["reason"]) == (1, "guest-error"), o)
    codes, texts = {r for _, r in FORGED.values()}, set(details.values())
    check("each reason has a sentence of its own", len(texts) == len(codes) == len(details), details)


def test_contradiction(host):
    off = json.dumps(report(practice(name="measured-boot", state="unsupported", wanted="off"))).encode()
    for name, tpm, text, options in (
            ("it is measured", MINE, MEASURED, ()),
            ("a report that does not claim it", MINE.with_pcr(4), off, ()),
            ("a report without measured-boot", MINE.with_pcr(4), REPORT, ()),
            ("PCR 4 is empty, and not quoted", MINE.with_pcr(4), MEASURED, ("--pcrs", "0,7")),
            ("PCR 1 is empty", MINE.with_pcr(1), MEASURED, ()),
            ("another bank is empty", MINE.with_pcr(4, bank="sha1"), MEASURED, ())):
        run, o = ask(host, honest(tpm, text), *options)
        check(f"no contradiction: {name}", (run.status, o["outcome"]) == (0, "ok"), o)
    run, o = ask(host, honest(MINE.with_pcr(4, bank="sha1").with_pcr(0, bank="sha1"), MEASURED), "--bank", "sha1")
    check("contradiction: PCRs, bank and the way out are named", o["reason"] == "contradiction" and all(
        word in o["detail"] for word in ("PCR 0,4 ", "sha1", "measured-boot", "--bank")), o)
    keys = host.path("contradiction-keys")
    run, o = keyed(host, keys, honest(MINE.with_pcr(7), MEASURED))
    check("contradiction: its key is not remembered", (run.status, o["reason"]) ==
          (1, "contradiction") and records(keys) == [], o)


def test_flips(host):
    """One guest for each byte of an answer, with a bit of that byte flipped."""
    attest = len(MINE.attest(b"0" * 32, "sha256", [0]))
    serves = [changed(attest=lambda a, i=i: flip(a, 8 * i + i % 8)) for i in range(attest)]
    serves += [changed(signature=lambda s, i=i: flip(s, 8 * i + i % 8)) for i in range(72)]
    serves += [changed(public=lambda p, i=i: flip(p, 8 * i + i % 8)) for i in range(len(MINE.public()))]
    serves += [changed(report=lambda r, i=i: r[:i] + chr(ord(r[i]) ^ 1) + r[i + 1:]) for i in range(0, 500, 5)]
    paths = [host.add(f"flip-{i}", serve) for i, serve in enumerate(serves)]
    run = Run("--timeout", "30", "--json", "quote", *paths)
    found = run.objects()
    good = [i for i, o in enumerate(found) if o["outcome"] != BAD]
    check(f"{len(paths)} guests, a bit flipped in each: none is believed", len(found) == len(paths) and not good,
          [found[i] for i in good[:3]])
    check("flips exit 1", run.status == 1, run.status)


def keyed(host, keys, serve, *options, name="guest1"):
    return ask(host, serve, "--keys", keys, "--name", name, *options)


def records(keys):
    return sorted(name for name in os.listdir(keys) if name != ".lock")


def stored(keys, name="guest1"):
    with open(os.path.join(keys, name + ".json")) as record:
        return record.read()


def test_keys(host):
    keys = host.path("state/a b/keys")
    run, o = keyed(host, keys, honest())
    check("keys: the first time it is new", run.status == 0 and o["quote"]["key"]["status"] == "new", (o, run.err))
    mode = [stat.S_IMODE(os.stat(os.path.join(keys, p)).st_mode) for p in ("", "guest1.json", ".lock")]
    check("keys: directory 0700, files 0600, nothing else", mode == [0o700, 0o600, 0o600] and
          sorted(os.listdir(keys)) == [".lock", "guest1.json"], mode)
    record = json.loads(stored(keys))
    check("keys: what is remembered", (record["key"], record["reset_count"], record["restart_count"],
                                       record["clock"]) == (MINE.name().hex(), 5, 1, 123456), record)
    run, o = keyed(host, keys, honest())
    check("keys: then it is known", run.status == 0 and o["quote"]["key"]["status"] == "known" and
          o["quote"]["key"]["first_seen"] == record["first_seen"], o)
    before = stored(keys)
    for name, serve, reason in (("another guest's key", honest(OTHER), "other-key"),
                                ("a key of the owner hierarchy", honest(Tpm(hierarchy=OWNER)), "other-key"),
                                ("another guest's key and no report", honest(OTHER, text=b"x"), "other-key"),
                                ("a reset less", honest(resets=4), "counter-back"),
                                ("a reset less, restarts more", honest(resets=4, restarts=9), "counter-back"),
                                ("a restart less", honest(restarts=0), "counter-back"),
                                ("a clock that went back", honest(clock=123455), "counter-back"),
                                ("a restart less, a clock that went on", honest(restarts=0, clock=200000),
                                 "counter-back"),
                                ("forged", honest(magic=1, resets=9), "magic")):
        run, o = keyed(host, keys, serve)
        check(f"keys: {name}: {reason}", (run.status, o.get("outcome"), o.get("reason")) == (1, BAD, reason) and
              stored(keys) == before, o)
    o = keyed(host, keys, honest(OTHER))[1]
    check("keys: the warning names both keys, the guest and the way out", all(
        w in o["detail"] for w in ("guest1", "CHANGED", MINE.name().hex(), OTHER.name().hex(), "--accept-key")), o)
    o = keyed(host, keys, honest(resets=4))[1]
    check("keys: the warning names both counts", all(w in o["detail"] for w in (
        "BACK", "count of resets was 5", "that of restarts 1; now they are 4 and 1", "--accept-key")), o)
    o = keyed(host, keys, honest(clock=0))[1]
    check("keys: the clock has its own warning", all(w in o["detail"] for w in (
        "CLOCK", "BACK", "123456 ms", "0 ms", "--accept-key")) and "count of" not in o["detail"], o)
    run, o = keyed(host, keys, honest(text=b"x", resets=50))
    check("keys: a report that is none changes nothing", stored(keys) == before and run.status == 6, o)
    test_accept(host, keys)


def test_accept(host, keys):
    run, o = keyed(host, keys, honest(restarts=9))
    check("keys: more restarts are remembered", json.loads(stored(keys))["restart_count"] == 9, o)
    run, o = keyed(host, keys, honest(resets=6, restarts=0))
    check("keys: a reset starts restarts again", run.status == 0 and json.loads(stored(keys))["restart_count"] == 0, o)
    run, o = keyed(host, keys, honest(OTHER, magic=1), "--accept-key")
    check("keys: --accept-key accepts no forgery", o["reason"] == "magic" and MINE.name().hex() in stored(keys), o)
    run, o = keyed(host, keys, honest(resets=2), "--accept-key")
    check("keys: --accept-key accepts an older state", run.status == 0 and
          o["quote"]["key"]["status"] == "accepted" and json.loads(stored(keys))["reset_count"] == 2, o)
    run, o = keyed(host, keys, honest(OTHER), "--accept-key")
    check("keys: --accept-key accepts another key", run.status == 0 and OTHER.name().hex() in stored(keys), o)
    check("keys: the old one is the other one now", keyed(host, keys, honest())[1]["reason"] == "other-key")
    o = keyed(host, keys, honest(), name="guest2")[1]
    check("keys: a second guest has its own file", o["quote"]["key"]["status"] == "new" and
          records(keys) == ["guest1.json", "guest2.json"], o)
    hidden = Tpm(hierarchy=OWNER)
    keyed(host, keys, honest(hidden, resets=0xffffffff), name="hidden")
    run, o = keyed(host, keys, honest(hidden, resets=0, clock=1), name="hidden")
    check("keys: counters that the TPM hides are not compared", run.status == 0 and
          "clock" not in json.loads(stored(keys, "hidden")), o)


def test_clock(host):
    keys = host.path("clock-keys")
    for name, lies, status, kept in (("the first", {}, "new", 123456), ("the same", {}, "known", 123456),
                                     ("a later one", {"clock": 2 ** 64 - 1}, "known", 2 ** 64 - 1),
                                     ("an earlier one after a restart", {"restarts": 2, "clock": 7}, "known", 7),
                                     ("an earlier one after a reset", {"resets": 6, "clock": 5}, "known", 5)):
        run, o = keyed(host, keys, honest(**lies))
        check(f"clock: {name} is kept", run.status == 0 and o["quote"]["key"]["status"] == status and
              json.loads(stored(keys))["clock"] == kept, o)
    run, o = keyed(host, keys, honest(resets=6, clock=4), "--accept-key")
    check("clock: --accept-key accepts that it went back", run.status == 0 and
          o["quote"]["key"]["status"] == "accepted" and json.loads(stored(keys))["clock"] == 4, o)
    record = json.loads(stored(keys))
    del record["clock"]
    with open(os.path.join(keys, "guest1.json"), "w") as file:
        json.dump(record, file)
    run, o = keyed(host, keys, honest(resets=6, clock=3))
    check("clock: a record without one is good, and gets one", run.status == 0 and
          json.loads(stored(keys))["clock"] == 3, o)


def test_key_of_another(host):
    keys = host.path("another-keys")
    keyed(host, keys, honest(), name="web1")
    for name in (".hidden.json", "web1.txt", "a b.json", "x" * 65 + ".json"):
        shutil.copy(os.path.join(keys, "web1.json"), os.path.join(keys, name))
    with open(os.path.join(keys, "damaged.json"), "w") as file:
        file.write("{")
    os.symlink("web1.json", os.path.join(keys, "link.json"))
    os.mkdir(os.path.join(keys, "directory.json"))
    before = records(keys)
    run, o = keyed(host, keys, honest(), name="web2")
    check("key of another: refused, and nothing is remembered", (run.status, o["outcome"], o["reason"]) ==
          (1, BAD, "key-of-another") and records(keys) == before, o)
    check("key of another: the warning names both guests and what it means", all(w in o["detail"] for w in (
        "WARNING", "KEY OF web2", "THAT OF web1", "relay", "clone", "--accept-key")), o)
    run, o = keyed(host, keys, honest(OTHER), name="web3")
    check("key of another: files that are no records are passed over", run.status == 0 and
          o["quote"]["key"]["status"] == "new", o)
    check("key of another: web1 itself is known", keyed(host, keys, honest(), name="web1")[0].status == 0)
    run, o = keyed(host, keys, honest(), name="web3")
    check("key of another: a changed key is that first", (run.status, o["reason"]) == (1, "other-key"), o)
    run, o = keyed(host, keys, honest(), "--accept-key", name="web3")
    check("key of another: accepted anew, the other guest is named", run.status == 0 and
          (o["quote"]["key"]["status"], o["quote"]["key"]["other_guest"]) == ("accepted", "web1"), o)
    run, o = keyed(host, keys, honest(OTHER), "--accept-key", name="web4")
    check("key of another: nobody's key with --accept-key is new", run.status == 0 and
          (o["quote"]["key"]["status"], o["quote"]["key"]["other_guest"]) == ("new", None), o)
    run = Run("--keys", keys, "--accept-key", "--name", "web5", "quote", host.add("another-text", honest(OTHER)))
    check("key of another: --accept-key says whose it is, too", run.status == 0 and
          "is accepted, and remembered as that of web5 from now on. It is also remembered as that of web4."
          in words(run), run.out)
    check("key of another: then it is known", keyed(host, keys, honest(OTHER), name="web5")[0].status == 0)
    many = host.path("another-many")
    os.mkdir(many, 0o700)
    for i in range(4096):
        os.link(os.path.join(keys, "damaged.json"), os.path.join(many, f"m{i}.json"))
    run, o = keyed(host, many, honest())
    check("key of another: 4096 files are looked through", run.status == 0, o)
    run, o = keyed(host, many, honest(OTHER), name="guest2")
    check("key of another: 4097 are not, and that is told", (run.status, o["reason"]) == (1, "key-store") and
          "more than 4096" in o["detail"], o)


def test_lock(host):
    def held(path):
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        return fd

    keys = host.path("lock-keys")
    keyed(host, keys, honest())
    fd = held(keys)
    run, o = keyed(host, keys, honest())
    check("lock: one of the directory hinders nobody", run.status == 0 and run.seconds < 1, (run.seconds, o))
    os.close(fd)
    fd = held(keys + "/.lock")
    run, o = keyed(host, keys, honest())
    check("lock: one that is kept is a key-store error", (run.status, o["reason"]) == (1, "key-store") and
          "locked" in o["detail"] and 0.5 < run.seconds < TIMEOUT, (run.seconds, o))
    names = [arg for i in range(20) for arg in ("--name", f"lock{i}")]
    run = Run("--keys", keys, *names, "--json", "quote", *[host.add(f"lock-{i}", honest(Tpm())) for i in range(20)])
    check("lock: 20 guests do not wait past their deadline", len(run.objects()) == 20 and run.status in (1, 6) and
          "ok" not in run.outcomes() and run.seconds < TIMEOUT + MARGIN, run.seconds)
    os.close(fd)
    run, o = keyed(host, keys, honest())
    check("lock: then it is taken again", run.status == 0, o)
    for name, prepare in (("a link", lambda p: os.symlink(host.path("lock-target"), p)), ("a fifo", os.mkfifo),
                          ("a directory", os.mkdir)):
        os.path.isdir(keys + "/.lock") or os.unlink(keys + "/.lock")
        prepare(keys + "/.lock")
        run, o = keyed(host, keys, honest())
        check(f"lock: {name} is none", (run.status, o["reason"]) == (1, "key-store") and
              not os.path.exists(host.path("lock-target")), o)


def test_race(host):
    """Eight guests with eight keys are seen for the first time under one name, at the same time."""
    keys = host.path("race-keys")
    processes = [subprocess.Popen([TOOL, "--json", "--keys", keys, "--name", "one", "quote",
                                   host.add(f"race-{i}", honest(Tpm()))], stdout=subprocess.PIPE) for i in range(8)]
    found = [json.loads(p.communicate()[0]) for p in processes]
    check("keys: of eight at the same time one is new, and the others are refused", sorted(
        str(o["reason"]) for o in found) == ["None"] + ["other-key"] * 7 and any(
            o.get("quote", {}).get("key", {}).get("name") == json.loads(stored(keys, "one"))["key"]
            for o in found), found)


def test_key_store(host):
    def fails(name, prepare, reason="key-store"):
        keys = host.path("store-" + name.replace(" ", "-"))
        os.mkdir(keys, 0o700)
        victim = os.path.join(keys, "guest1.json")
        prepare(victim)
        run, o = keyed(host, keys, honest())
        check(f"key store: {name}: {reason}, exit 1", (run.status, o.get("reason")) == (1, reason), (o, run.err))

    def text(content):
        def write(path):
            with open(path, "w") as file:
                file.write(content)
        return write

    target = host.path("precious")
    text("precious")(target)
    fails("a link", lambda p: os.symlink(target, p))
    fails("a dangling link", lambda p: os.symlink(target + "-none", p))
    fails("a directory", os.mkdir)
    fails("a fifo", os.mkfifo)
    fails("no JSON", text("x"))
    fails("an empty file", text(""))
    fails("a huge file", text("{}" * 5000))
    good = {"schema": 1, "key": MINE.name().hex(), "reset_count": 1, "restart_count": 0,
            "first_seen": "2026-11-22T09:28:00Z", "last_seen": "2026-11-22T09:28:00Z"}
    for key, value in (("clock", -1), ("clock", "1"), ("clock", None), ("clock", 1.5), ("schema", 2),
                       ("key", "00"), ("key", None), ("reset_count", -1), ("reset_count", 2 ** 32),
                       ("restart_count", "0"), ("first_seen", ESC), ("last_seen", "2" * 32)):
        fails(f"{key} {value}"[:30].replace("/", ""), text(json.dumps({**good, key: value})))
    with open(target) as file:
        check("key store: nothing was written through a link", file.read() == "precious" and
              not os.path.exists(target + "-none"))

    if os.geteuid() == 0:
        def foreign(path):
            text(json.dumps(good))(path)
            os.chown(path, 12345, -1)

        fails("a file of another user", foreign)
    else:
        skip("key store: a file of another user", "only root can give a file away")
    test_key_directory(host, target)


def test_key_directory(host, file):
    for name, mode in (("everybody", 0o777), ("the group", 0o770), ("others", 0o702)):
        path = host.path("may-write-" + name.replace(" ", "-"))
        os.mkdir(path)
        os.chmod(path, mode)
        for option in (("--name", "guest1", "--keys"), ("--write",)):
            run, _ = ask(host, honest(), *option, path)
            check(f"key store: {name} may write to {option[-1]}: exit 1, nobody is asked", run.status == 1 and
                  "chmod go-w" in run.err and not run.out and not os.listdir(path), run.err)
        os.chmod(path, mode & ~0o022)
        run, _ = keyed(host, path, honest())
        check(f"key store: after chmod go-w {name} may not, and it is good", run.status == 0, run.err)
    run, _ = keyed(host, file, honest())
    check("key store: is a file: exit 1, nobody is asked", run.status == 1 and "Not a directory" in run.err and
          not run.out, run.err)
    path = host.add("default", honest())
    for variable, where in (("XDG_STATE_HOME", "gtune-host/keys"), ("HOME", ".local/state/gtune-host/keys")):
        home = host.path("home-" + variable)
        run = Run("--name", "me", "quote", path, env={"XDG_STATE_HOME": "relative", "HOME": "", variable: home})
        check(f"key store: by default below {variable}", run.status == 0 and os.path.exists(f"{home}/{where}/me.json"),
              run.err)
    run = Run("--name", "me", "quote", path, env={"XDG_STATE_HOME": "", "HOME": ""})
    check("key store: neither is set: exit 1", run.status == 1 and "--keys" in run.err, run.err)


def test_usage(host):
    ok = host.add("usage", honest())
    keys = ("--keys", host.path("usage-keys"))
    for name in ("", ".", "..", ".x", "../x", "a/b", "/etc/x", "a b", "a\n", "\u00e9", "x" * 65):
        run = Run(*keys, "--name", name, "quote", ok)
        check(f"usage: --name {name!a:.20}", run.status == 2 and not run.out, run.err)
    check("usage: no bad name became a file", not os.path.exists(keys[1]))
    check("usage: the longest name", Run(*keys, "--name", "x" * 64, "quote", ok).status == 0)
    two = ("quote", ok, ok)
    bad = [("--name", "a", *two), ("--name", "a", "--name", "a", *two), ("--name", "a", "--name", "b", "quote", ok),
           (*keys, "quote", ok), ("--accept-key", "quote", ok), ("--nonce", "00" * 32, *two),
           ("--write", host.path("w"), *two), ("--write", "", "quote", ok), ("--keys", "", "--name", "a", "quote", ok)]
    bad += [("--nonce", n, "quote", ok) for n in ("", "0" * 30, "0" * 31, "0" * 33, "0" * 130, "x" * 32, "0x" * 16)]
    bad += [("--bank", b, v, ok) for b in ("", "md5", "SHA 256", "sha256,sha1") for v in ("quote", "pcrs")]
    bad += [("--pcrs", p, "quote", ok) for p in ("", "24", "0-24", "7-0", "a", "0,", "-1", "0 1", "1-2-3")]
    bad += [("--pcrs", "0", "pcrs", ok), ("--name", "a", "status", ok), ("--nonce", "00" * 32, "pcrs", ok),
            ("--bank", "sha1", "status", ok), ("--accept-key", "watch", ok),
            ("--write", "x", "query", "guest-ping", ok)]
    for args in bad:
        run = Run(*args)
        shown = " ".join(args).replace(host.directory, "")[:50]
        check(f"usage: {shown}", run.status == 2 and run.err.count("\n") == 1 and not run.out, (run.status, run.err))


def test_many(host):
    tpms = [Tpm() for _ in range(40)]
    text = [json.dumps(report(practice(code=f"g{i}"))).encode() for i in range(40)]
    paths = [host.add(f"many-{i}", silent if i % 4 == 1 else honest(tpms[i], text[i])) for i in range(40)]
    names = [arg for i in range(40) for arg in ("--name", f"many.{i}")]
    run = Run("--keys", host.path("many-keys"), *names, "--json", "quote", *paths)
    found = run.objects()
    check("40 guests, 10 silent: each its own report and key", run.status == 6 and all(
        o["outcome"] == "no-answer" if i % 4 == 1 else
        (o["report"]["practices"][0]["reason_code"], o["quote"]["key"]["name"], o["quote"]["key"]["guest"]) ==
        (f"g{i}", tpms[i].name().hex(), f"many.{i}") for i, o in enumerate(found)), run.err)
    nonces = {o["quote"]["nonce"] for o in found if "quote" in o}
    check("40 guests: no nonce twice", len(nonces) == 30, len(nonces))
    check(f"40 guests: {run.seconds:.2f} s, one deadline", run.seconds < TIMEOUT + MARGIN, run.seconds)
    check("40 guests: 30 files", len(records(host.path("many-keys"))) == 30)
    fat = json.dumps(report(junk="x" * 400000)).encode()
    run = Run("--timeout", "20", "--json", "quote", *[host.add(f"fat-{i}", honest(text=fat)) for i in range(100)])
    check("100 guests with fat reports: all are answered for", len(run.objects()) == 100 and
          set(run.outcomes()) <= {"ok", "invalid"}, run.err)
    check_rss("100 guests with fat reports", run)


def test_pcrs(host):
    values = {bank: {str(i): v.hex() for i, v in enumerate(MINE.banks[bank])} for bank in ("sha1", "sha256")}

    def serve(value):
        async def behaviour(guest):
            request = await guest.sync()
            assert request["execute"] == "gtune-pcrs"
            banks = {request["arguments"]["bank"]: values["sha1"]} if request["arguments"].get("bank") else values
            answer = value(banks) if callable(value) else value
            await guest.send({"return": answer, "id": request["id"]})
            await guest.reader.read()
        return behaviour

    paths = [host.add(f"pcrs-{i}", serve(lambda v: {"schema": 1, "source": "sysfs", "pcrs": v, "new": 1}))
             for i in range(2)]
    run = Run("--json", "pcrs", *paths)
    check("pcrs --json: all banks", run.status == 0 and [o.get("pcrs") for o in run.objects()] == [values] * 2 and
          run.objects()[0]["source"] == "sysfs" and "banks" not in run.objects()[0], run.out)
    run = Run("--json", "--bank", "sha1", "pcrs", paths[0])
    check("pcrs --bank: this one is asked for", run.objects()[0].get("pcrs") == {"sha1": values["sha1"]}, run.out)
    run = Run("--bank", "sha384", "pcrs", host.add("pcrs-other", serve({"source": "x", "pcrs": values})))
    check("pcrs --bank: another one is no answer", run.status == 6 and "pcrs.sha384 is missing" in run.out, run.out)
    run = Run("pcrs", *paths, host.path("gone"))
    rows = [line.split() for line in run.out.splitlines()]
    check("pcrs: a row for each PCR", run.status == 6 and len(rows) > 96 and
          ["sha256", "7", values["sha256"]["7"]] in [r[-3:] for r in rows] and run.clean(), run.out[:500])
    run = Run("pcrs", host.add("pcrs-empty", serve({"source": None, "pcrs": {}})))
    check("pcrs: a TPM without a bank", run.status == 0 and "no bank" in run.out, run.out)
    for name, value in (("null", None), ("no banks", {"source": "x"}), ("an array", {"pcrs": []}),
                        ("another name", lambda v: {"source": "x", "banks": v}),
                        ("an unknown bank", {"pcrs": {ESC: {}}}),
                        ("a long source", {"source": "x" * 257, "pcrs": {}}),
                        ("a short value", {"pcrs": {"sha256": {"0": "00"}}}),
                        ("PCR 24", {"pcrs": {"sha1": {"24": "00" * 20}}}),
                        ("a bank twice", {"pcrs": {"sm3": {"0": "00" * 32}, "sm3_256": {"0": "00" * 32}}})):
        run = Run("--json", "pcrs", host.add("pcrs-" + name.replace(" ", "-"), serve(value)))
        o = run.objects()[0]
        check(f"pcrs: {name}: bad-answer", (run.status, o["reason"]) == (6, "bad-answer") and run.clean(), o)


def checkquote(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True)


def test_write(host):
    directory = host.path("it's written")
    run, o = ask(host, honest(), "--write", directory)
    command = o.get("quote", {}).get("checkquote") or ""
    check("--write: five files, mode 0600", run.status == 0 and sorted(os.listdir(directory)) == [
        "key.pub", "quote.msg", "quote.pcrs", "quote.sig", "report.json"] and all(
        stat.S_IMODE(os.stat(f"{directory}/{f}").st_mode) == 0o600 for f in os.listdir(directory)), run.err)
    with open(f"{directory}/report.json", "rb") as file:
        check("--write: the report as it was quoted", file.read() == REPORT)
    check("--write: the command has the qualifying data", o["quote"]["qualifying_data"] in command, command)
    path = host.add("write-text", honest())
    run = Run("--write", directory, "quote", path)
    check("--write: the command is printed whole on a line", any(
        line.strip().startswith("tpm2_checkquote -u ") and line.count("'") == 20
        for line in run.out.splitlines()), run.out)
    target = host.path("linked")
    os.unlink(f"{directory}/quote.msg")
    os.symlink(target, f"{directory}/quote.msg")
    run, o = ask(host, honest(), "--write", directory)
    check("--write: a link is replaced, not followed", run.status == 0 and not os.path.exists(target) and
          not os.path.islink(f"{directory}/quote.msg"))
    before = {f: os.stat(f"{directory}/{f}").st_mtime_ns for f in os.listdir(directory)}
    run, _ = ask(host, honest(magic=1), "--write", directory)
    check("--write: nothing of a forged quote", run.status == 1 and before == {
        f: os.stat(f"{directory}/{f}").st_mtime_ns for f in os.listdir(directory)})
    os.mkdir(host.path("blocked"), 0o700)
    os.mkdir(host.path("blocked/key.pub"))
    run, o = ask(host, honest(), "--write", host.path("blocked"))
    check("--write: a file that cannot be written: local-error, exit 1",
          (run.status, o["reason"]) == (1, "local-error") and "key.pub" in o["detail"], o)
    if not shutil.which("tpm2_checkquote"):
        return skip("--write: tpm2_checkquote", "tpm2-tools is not installed")
    for bank, pcrs in (("sha256", "0-9,14"), ("sha1", "0-23"), ("sha384", "7"), ("sha512", "0-7,8")):
        o = ask(host, honest(), "--write", directory, "--bank", bank, "--pcrs", pcrs)[1]
        result = checkquote(o["quote"]["checkquote"])
        check(f"--write: tpm2_checkquote accepts {bank}:{pcrs}", result.returncode == 0, result.stderr)
    wrong = o["quote"]["checkquote"][:-2] + ("00" if not o["quote"]["checkquote"].endswith("00") else "11")
    check("--write: tpm2_checkquote with other qualifying data does not", checkquote(wrong).returncode != 0)


def test_real_tpm(host):
    missing = [t for t in ("swtpm", "tpm2_quote", "tpm2_checkquote") if not shutil.which(t)]
    if missing:
        return skip("a real TPM", f"{missing[0]} is not installed")
    tpm = RealTpm(host.path("tpm"))
    tpm.start()
    serve, keys = quotes(lambda a: tpm.answer(a, REPORT)), host.path("real-keys")
    options = ("--timeout", "20", "--write", host.path("real"))
    tpm.tool("pcrextend", "7:sha256=" + "ab" * 32)
    run, o = keyed(host, keys, serve, *options)
    check("a real TPM: verified and new", run.status == 0 and o["quote"]["key"]["status"] == "new" and
          o["quote"]["key"]["endorsement"], (o, run.err))
    result = checkquote(o["quote"]["checkquote"])
    check("a real TPM: tpm2_checkquote accepts the files", result.returncode == 0, result.stderr)
    first = o["quote"]["clock"]["reset_count"]
    shutil.copytree(tpm.directory + "/state", tpm.directory + "/old")
    tpm.stop()
    tpm.start()
    run, o = keyed(host, keys, serve, *options)
    check("a real TPM: after a reset its key is known, its counter higher", run.status == 0 and
          o["quote"]["key"]["status"] == "known" and o["quote"]["clock"]["reset_count"] > first, o)
    run, o = ask(host, serve, *options, "--bank", "sha384", "--pcrs", "0-23")
    check("a real TPM: sha384, all PCRs", run.status == 0 and checkquote(o["quote"]["checkquote"]).returncode == 0, o)
    tpm.stop()
    tpm.start()
    keyed(host, keys, serve, *options)
    tpm.stop()
    shutil.rmtree(tpm.directory + "/state")
    shutil.move(tpm.directory + "/old", tpm.directory + "/state")
    tpm.start()
    run, o = keyed(host, keys, serve, *options)
    check("a real TPM: an old state is put back: counter-back", (run.status, o["reason"]) == (1, "counter-back"), o)
    tpm.tool("clear", "-c", "p")
    tpm.tool("changeeps", "-Q")
    run, o = keyed(host, keys, serve, *options)
    check("a real TPM: a new seed: other-key", (run.status, o["reason"]) == (1, "other-key"), o)
    tpm.stop()


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="gt-") as directory:
        host = Host(directory)
        for test in (test_good, test_forged, test_contradiction, test_flips, test_keys, test_clock,
                     test_key_of_another, test_lock, test_race, test_key_store, test_usage, test_many, test_pcrs,
                     test_write, test_real_tpm):
            test(host)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
