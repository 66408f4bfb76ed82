#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks gtune-tpm about a real TPM (swtpm), about trees, and about TPMs that lie.

    asks.py GTUNE_TPM [GTUNE_TPM_WITHOUT_LIBTSS2]

Every check prints a line, and the last line counts them.
"""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema

sys.dont_write_bytecode = True
import tpms
from tpms import Played, Swtpm

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads((HERE.parent.parent / "doc/gtune-tpm.schema.json").read_text())
ANSWERS = {name: jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{name}-answer"})
           for name in ("pcrs", "eventlog", "verdict", "quote", "error")}
VECTORS = HERE.parent / "unit/eventlogs"
REPLY_MAX = 200 * 1024
SYSFS = "sys/class/tpm/tpm0"
FIRMWARE_LOG = "sys/kernel/security/tpm0/binary_bios_measurements"
BANKS = ("sha1", "sha256", "sha384", "sha512")
counts = {"passed": 0, "failed": 0, "skipped": 0}
printing = threading.Lock()


def check(name, good, detail=""):
    with printing:
        counts["passed" if good else "failed"] += 1
        print(f"{'ok' if good else 'not ok'} - {name}" + ("" if good else f": {str(detail)[:600]}"), flush=True)


def skip(name, reason):
    with printing:
        counts["skipped"] += 1
        print(f"skip - {name}: {reason}", flush=True)


def ask_raw(tool, text, *options, environment=None, user=None):
    """What it prints, and its exit status."""
    done = subprocess.run([tool, *options], input=text, capture_output=True, timeout=60, check=False, user=user,
                          group=user, extra_groups=None if user is None else [],
                          env={**os.environ, **(environment or {})})
    return done.stdout, done.returncode, done.stderr


class Stage:
    """Where a case asks: a program, a tree, perhaps a device."""

    def __init__(self, tool, folder):
        self.tool, self.folder = tool, pathlib.Path(folder)

    def tree(self):
        """A new empty tree."""
        return pathlib.Path(tempfile.mkdtemp(prefix="tree", dir=self.folder))

    def ask(self, verb, arguments=None, root=None, device=None, tool=None, options=(), **how):
        request = {"execute": verb, **({} if arguments is None else {"arguments": arguments})}
        words = ["--root", str(root or self.tree()), *(["--device", device] if device else []), *options]
        line, status, errors = ask_raw(tool or self.tool, json.dumps(request).encode(), *words, **how)
        reply = json.loads(line)
        ANSWERS["error" if "error" in reply else verb].validate(reply)
        if status != 0 or errors or line.count(b"\n") != 1 or len(line) > REPLY_MAX or not line.isascii():
            raise AssertionError(f"status {status}, {len(line)} bytes, stderr {errors!r}")
        return reply

    def expect(self, name, verb, error, part, *words, **how):
        reply = self.ask(verb, *words, **how)
        got = reply.get("error", {})
        check(name, got.get("class") == error and part in got.get("desc", ""), reply)


def put(root, path, data):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def put_sysfs(root, pcrs, major="2\n"):
    if major is not None:
        put(root, f"{SYSFS}/tpm_version_major", major)
    for bank, numbers in pcrs.items():
        for number, value in numbers.items():
            put(root, f"{SYSFS}/pcr-{bank}/{number}", value.upper() + "\n")


def put_acpi_table(root):
    """What firmware announces a TPM with."""
    put(root, "sys/firmware/acpi/tables/TPM2", "TPM2")


def vector(name):
    """An event log and the PCRs that belong to it, as pcrs_to_json() has them."""
    pcrs = json.loads((VECTORS / f"{name}.pcrs.json").read_text())
    found = {}
    for bank in BANKS:
        of_bank = pcrs.get(bank) or pcrs.get(bank.upper()) or {}
        found[bank] = {str(int(k)): v.lower().removeprefix("0x") for k, v in
                       (of_bank.items() if isinstance(of_bank, dict) else enumerate(of_bank))}
    return (VECTORS / f"{name}.bin").read_bytes(), {b: v for b, v in found.items() if v}


def quote_arguments(nonce="5a" * 32, bank="sha256", pcrs="0-7,14", report="c3" * 32):
    return {"nonce": nonce, "bank": bank, "selection": pcrs, "report_sha256": report}


# How a request is taken ----------------------------------------------------------------------------------------

BAD_REQUESTS = {  # what is sent: part of the sentence
    b"": "not a JSON object",
    b"\n": "not a JSON object",
    b"hello\n": "not a JSON object",
    b"[]\n": "not a JSON object",
    b'{"execute":"pcrs"': "not a JSON object",
    b"[" * 40 + b"]" * 40 + b"\n": "not a JSON object",
    b'{"execute":"\xff"}\n': "not a JSON object",
    b'{"execute":"pcrs","id":1}': 'no member "id"',
    b'{"execute":"clear"}': 'no command "clear"',
    b'{"execute":"pcrs","arguments":{"device":"/dev/sda"}}': 'no argument "device"',
    b'{"execute":"pcrs","arguments":{"bank":"md5"}}': "bank is not one of",
    b"x" * 600000: "longer than 524288 bytes",
}


def requests(stage):
    tree = str(stage.tree())
    for text, part in BAD_REQUESTS.items():
        line, status, _ = ask_raw(stage.tool, text, "--root", tree)
        error = json.loads(line).get("error", {})
        check(f"refused: {text[:50]!r}", status == 0 and error.get("class") == "bad-request" and part in error["desc"],
              line)

    for nonce, part in (("ab" * 15, "too short"), ("ab" * 65, "too long"), ("zz" * 32, "hex"), ("a" * 33, "hex")):
        stage.expect(f"a nonce of {len(nonce)} {nonce[:1]}", "quote", "bad-request", part,
                     quote_arguments(nonce=nonce))

    for words in (["--no-such-option"], ["word"], ["--root"], ["--baseline", "relative"]):
        _, status, errors = ask_raw(stage.tool, b"", *words)
        check(f"usage: {' '.join(words)}", status == 2 and errors, (status, errors))
    line, status, _ = ask_raw(stage.tool, b"", "--help")
    check("--help", status == 0 and b"Usage: gtune-tpm" in line)
    line, status, errors = ask_raw(stage.tool, b"", "--root", "/no/such/folder")
    check("a root that is not there", status == 1 and b"/no/such/folder" in errors and not line, (line, errors))


def answered_while_open(stage, text):
    """Sends a text, keeps its end open, and says what came after how long."""
    with subprocess.Popen([stage.tool, "--root", str(stage.tree())], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        started = time.monotonic()
        process.stdin.write(text)
        process.stdin.flush()
        line = process.stdout.read()
        return json.loads(line), time.monotonic() - started


def framing(stage):
    for name, text in (("an object that is whole", b'{"execute": "pcrs"}'), ("a line", b'{"execute": "pcrs"}\n'),
                       ("a line and more behind it", b'{"execute": "pcrs"}\n{"execute": "verdict"}')):
        reply, seconds = answered_while_open(stage, text)
        check(f"{name} needs no end of file", reply.get("error", {}).get("class") == "no-tpm" and seconds < 3,
              (reply, seconds))
    reply, seconds = answered_while_open(stage, b'{"execute": "pcrs"')
    check("half a request is dropped after 5 s", "within 5 s" in reply["error"]["desc"] and 4.5 < seconds < 7,
          (reply, seconds))

    process = subprocess.Popen([stage.tool, "--root", str(stage.tree())], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b'{"execute": "pcrs"}')
    process.stdin.close()
    errors = process.stderr.read()
    process.stderr.close()
    check("nobody takes the answer", process.wait() == 1 and errors == b"", errors)


# A real TPM ----------------------------------------------------------------------------------------------------

def real_pcrs(stage, tpm):
    for number in (0, 7, 10, 16, 23):
        tpm.extend(number, {bank: hashlib.new(bank, b"%d" % number).hexdigest() for bank in BANKS})
    expected = {bank: tpm.read(bank) for bank in BANKS}

    reply = stage.ask("pcrs", device=tpm.device)["return"]
    check("pcrs: all banks as tpm2_pcrread", reply["pcrs"] == expected, reply)
    check("pcrs: the source is named", reply["source"] == tpm.device)
    check("pcrs: every bank has its PCRs", reply["empty_banks"] == [], reply)
    for bank in BANKS:
        reply = stage.ask("pcrs", {"bank": bank}, device=tpm.device)["return"]
        check(f"pcrs: {bank} alone", reply["pcrs"] == {bank: expected[bank]}, reply)
    stage.expect("pcrs: a bank that is not there", "pcrs", "no-bank", "no bank sm3", {"bank": "sm3"},
                 device=tpm.device)

    root = stage.tree()
    put(root, f"{SYSFS}/dev", "10:224\n")
    reply = stage.ask("pcrs", root=root, device=tpm.device)["return"]
    check("pcrs: a kernel without PCR files", reply["pcrs"] == expected, reply)


def few_banks(stage, folder):
    with Swtpm(f"{folder}/few", banks="sha256") as tpm:
        reply = stage.ask("pcrs", device=tpm.device)["return"]
        check("pcrs: a TPM with sha256 alone", reply["pcrs"] == {"sha256": tpm.read("sha256")}, reply)
        check("pcrs: the banks that it lists without a PCR", reply["empty_banks"] == ["sha1", "sha384", "sha512"], reply)
        reply = stage.ask("pcrs", {"bank": "sha256"}, device=tpm.device)["return"]
        check("pcrs: none of them where one bank is asked for", reply["empty_banks"] == [], reply)
        stage.expect("pcrs: its sha1", "pcrs", "no-bank", "no bank sha1", {"bank": "sha1"}, device=tpm.device)
        stage.expect("quote: its sha1", "quote", "no-bank", "sha1", quote_arguments(bank="sha1"), device=tpm.device)


def quote_files(reply, folder):
    """The files that tpm2_checkquote takes: packed structures of tpm2-tools, little endian."""
    numbers = sorted(int(n) for values in reply["pcrs"].values() for n in values)
    bank = reply["bank"]
    for name in ("attest", "signature", "public"):
        (folder / name).write_bytes(base64.b64decode(reply[name], validate=True))

    mask = sum(1 << n for n in numbers).to_bytes(3, "little")
    one = struct.pack("<HB3sxx", tpms.ALGORITHMS[bank], 3, mask)
    data = struct.pack("<I", 1) + one + bytes(8 * 15)
    groups = [numbers[i:i + 8] for i in range(0, len(numbers), 8)]
    data += struct.pack("<I", len(groups))
    for group in groups:
        digests = b"".join(struct.pack("<H64s", tpms.SIZES[bank], bytes.fromhex(reply["pcrs"][bank][str(n)]))
                           for n in group)
        data += struct.pack("<I", len(group)) + digests.ljust(8 * 66, b"\0")
    (folder / "pcrs").write_bytes(data)


def check_quote(tpm, folder, reply, arguments):
    """The qualifying data is computed here, and not taken from the reply."""
    qualifying = hashlib.sha256(b"gtuned-quote-1" + bytes.fromhex(arguments["nonce"]) +
                                bytes.fromhex(arguments["report_sha256"])).hexdigest()
    quote_files(reply, folder)
    return tpm.tool("tpm2_checkquote", "-u", f"{folder}/public", "-m", f"{folder}/attest", "-s",
                    f"{folder}/signature", "-f", f"{folder}/pcrs", "-g", "sha256", "-q", qualifying, check=False)


QUOTES = {
    "one PCR": {"pcrs": "0"}, "eight": {"pcrs": "0-7"}, "nine": {"pcrs": "0-7,14"}, "all": {"pcrs": "0-23"},
    "sha1": {"bank": "sha1", "pcrs": "0-9"}, "sha384": {"bank": "sha384", "pcrs": "0-9"},
    "sha512": {"bank": "sha512", "pcrs": "16,23"}, "a nonce of 16": {"nonce": "01" * 16},
    "a nonce of 64": {"nonce": "F7" * 64},
}


def quotes(stage, tpm, folder):
    key = set()
    for name, words in QUOTES.items():
        arguments = quote_arguments(**words)
        reply = stage.ask("quote", arguments, device=tpm.device).get("return")
        if not reply:
            check(f"quote: {name}", False, stage.ask("quote", arguments, device=tpm.device))
            continue
        done = check_quote(tpm, folder, reply, arguments)
        check(f"quote: {name}: tpm2_checkquote accepts it", done.returncode == 0, done.stderr)
        expected = {n: v for n, v in tpm.read(reply["bank"]).items() if n in reply["pcrs"][reply["bank"]]}
        check(f"quote: {name}: the values are the TPM's", reply["pcrs"] == {reply["bank"]: expected}, reply["pcrs"])
        key.add(reply["public"])
        done = check_quote(tpm, folder, reply, {**arguments, "report_sha256": "00" * 32})
        check(f"quote: {name}: not for another report", done.returncode != 0)
    check("quote: always the same key", len(key) == 1)

    attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda"
    tpm.tool("tpm2_createprimary", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-a", attributes, "-c", "ak.ctx")
    tpm.tool("tpm2_readpublic", "-c", "ak.ctx", "-f", "tss", "-o", "ak.pub")
    tpm.tool("tpm2_flushcontext", "-t")
    check("quote: the key that tpm2_createprimary makes", (pathlib.Path(tpm.folder) / "ak.pub").read_bytes() ==
          base64.b64decode(key.pop()))
    handles = "".join(tpm.tool("tpm2_getcap", f"handles-{kind}").stdout for kind in ("transient", "persistent"))
    check("quote: no key is left behind", handles.strip() == "", handles)


def no_quotes(stage, tpm, folder, without):
    bogus = pathlib.Path(folder) / "bogus"
    bogus.mkdir()
    for library in ("libtss2-esys.so.0", "libtss2-mu.so.0"):
        (bogus / library).write_bytes(b"")
        environment = {"LD_LIBRARY_PATH": str(bogus), "LD_PRELOAD": os.environ.get("LD_PRELOAD", "")}
        stage.expect(f"quote: without {library}", "quote", "no-library", library, quote_arguments(), device=tpm.device,
                     environment=environment)
        reply = stage.ask("pcrs", device=tpm.device, environment=environment)
        check(f"pcrs: without {library}", "return" in reply, reply)
        (bogus / library).unlink()
    if without:
        stage.expect("quote: built without libtss2", "quote", "no-library", "built without", quote_arguments(),
                     device=tpm.device, tool=without)
    else:
        skip("quote: built without libtss2", "no such build was given")

    stage.expect("quote: a bank that is not there", "quote", "no-bank", "sm3", quote_arguments(bank="sm3"),
                 device=tpm.device)
    tpm.tool("tpm2_changeauth", "-c", "e", "secret")
    stage.expect("quote: an endorsement password", "quote", "endorsement", "password", quote_arguments(),
                 device=tpm.device)
    tpm.tool("tpm2_changeauth", "-c", "e", "-p", "secret")
    reply = stage.ask("quote", quote_arguments(), device=tpm.device)
    check("quote: and without it again", "return" in reply, reply)

    needed = subprocess.run(["readelf", "-d", stage.tool], capture_output=True, text=True, check=True).stdout
    check("libtss2 is no library that it needs", "tss2" not in needed)


# Verdicts ------------------------------------------------------------------------------------------------------

def verdicts(stage, folder):
    with Swtpm(f"{folder}/fresh") as tpm:
        got = stage.ask("verdict", device=tpm.device)["return"]
        check("verdict: a fresh TPM is not measured", got["state"] == "not-measured" and not got["good"], got)
        separator = {bank: hashlib.new(bank, bytes(4)).hexdigest() for bank in BANKS}
        for number in range(8):
            tpm.extend(number, separator)
        got = stage.ask("verdict", device=tpm.device)["return"]
        check("verdict: separators only", got["state"] == "separator-only", got)
        for number in (0, 1, 4, 5, 7):
            tpm.extend(number, {"sha256": "11" * 32})
        got = stage.ask("verdict", device=tpm.device)["return"]
        check("verdict: measured, without a log", (got["state"], got["code"], got["bank"]) ==
              ("measured", "log-absent", "sha256"), got)
        got = stage.ask("verdict", {"bank": "sha384"}, device=tpm.device)["return"]
        check("verdict: another bank", got["bank"] == "sha384" and got["state"] == "separator-only", got)

    got = stage.ask("verdict")["return"]
    check("verdict: no TPM", got["state"] == "no-tpm" and got["pcrs"] is None, got)
    root = stage.tree()
    put_acpi_table(root)
    got = stage.ask("verdict", root=root)["return"]
    check("verdict: a TPM without a driver", got["state"] == got["code"] == "tpm-no-driver" and got["pcrs"] is None, got)
    root = stage.tree()
    put_sysfs(root, {}, major="1\n")
    check("verdict: TPM 1.2", stage.ask("verdict", root=root)["return"]["state"] == "tpm12")
    root = stage.tree()
    put_sysfs(root, {})
    got = stage.ask("verdict", root=root)["return"]
    check("verdict: PCRs that cannot be read", got["state"] == "unreadable", got)


def vectors(stage):
    for name in ("a", "e", "d1", "sea"):
        log, pcrs = vector(name)
        root = stage.tree()
        put_sysfs(root, pcrs)
        put(root, FIRMWARE_LOG, log)
        put(root, "proc/sys/kernel/random/boot_id", "0f0f0f0f-1111\n")

        reply = stage.ask("pcrs", root=root)["return"]
        check(f"{name}: PCRs from sysfs", reply["pcrs"] == pcrs and reply["source"] == "/sys/class/tpm/tpm0", reply)
        got = stage.ask("verdict", root=root)["return"]
        check(f"{name}: verdict", got["state"] == ("partial" if name == "sea" else "measured") and
              got["boot_id"] == "0f0f0f0f-1111" and got["pcrs"] == pcrs and
              got["log"]["status"] == "match", got)

        events, offset, pages = [], 0, 0
        while offset is not None:
            reply = stage.ask("eventlog", {"offset": offset, "limit": 7}, root=root)["return"]
            events += reply["events"]
            offset, pages = reply["next"], pages + 1
        whole = stage.ask("eventlog", root=root)["return"]
        check(f"{name}: event log by pages", events == whole["events"] and pages > 1 and
              len(events) == whole["total"] and whole["logs"]["firmware"]["status"] == "complete", whole["logs"])


def baselines(stage):
    log, pcrs = vector("a")
    root = stage.tree()
    put_sysfs(root, pcrs)
    put(root, FIRMWARE_LOG, log)

    def baseline(value):
        put(root, "etc/gtuned/baseline.json", json.dumps({"schema": 1, "bank": "sha256", "pcrs": {
            "4": {"level": "must", "values": [{"digest": value, "label": "test"}]}}}))
        return stage.ask("verdict", root=root, options=["--baseline", "/etc/gtuned/baseline.json"])["return"]

    got = baseline(pcrs["sha256"]["4"])
    check("baseline: it agrees", got["baseline"]["result"] == "ok" and got["good"], got)
    got = baseline("ee" * 32)
    check("baseline: PCR 4 disagrees, with its events", got["code"] == "baseline-mismatch" and
          got["baseline"]["failed"] == [4] and got["events"] and all(e["pcr"] == 4 for e in got["events"]), got)
    put(root, "etc/gtuned/baseline.json", "{}")
    got = stage.ask("verdict", root=root, options=["--baseline", "/etc/gtuned/baseline.json"])["return"]
    check("baseline: no baseline in it", got["code"] == "baseline-invalid" and
          "/etc/gtuned" in got["baseline"]["reason"], got)
    got = stage.ask("verdict", root=root, options=["--baseline", "/missing"])["return"]
    check("baseline: missing", got["code"] == "baseline-invalid" and "/missing" in got["baseline"]["reason"], got)


# Trees that are wrong ------------------------------------------------------------------------------------------

def bad_trees(stage):
    stage.expect("no TPM", "pcrs", "no-tpm", "/dev/tpmrm0")
    stage.expect("no TPM: quote", "quote", "no-tpm", "no TPM", quote_arguments())
    root = stage.tree()
    put_acpi_table(root)
    for verb, arguments in (("pcrs", None), ("quote", quote_arguments())):
        stage.expect(f"a TPM without a driver: {verb}", verb, "tpm-no-driver", "/sys/firmware/acpi/tables/TPM2", arguments,
                     root=root)
    root = stage.tree()
    put_sysfs(root, {}, major="1\n")
    for verb, arguments in (("pcrs", None), ("quote", quote_arguments())):
        stage.expect(f"TPM 1.2: {verb}", verb, "tpm12", "TPM 1.2", arguments, root=root)
    root = stage.tree()
    put_sysfs(root, {}, major=None)
    put(root, f"{SYSFS}/device/pcrs", "PCR-00: 00")
    stage.expect("TPM 1.2 of an old kernel", "pcrs", "tpm12", "TPM 1.2", root=root)
    root = stage.tree()
    put(root, f"{SYSFS}/dev", "10:224\n")
    stage.expect("a TPM without PCR files, in a tree", "pcrs", "no-device", "another machine", root=root)
    root = stage.tree()
    put_sysfs(root, {"sha256": {str(n): "00" * 32 for n in range(24)}})
    put(root, f"{SYSFS}/pcr-sha256/5", "")
    stage.expect("an empty PCR file", "pcrs", "bad-answer", "pcr-sha256/5", root=root)
    stage.expect("a bank that has no files", "pcrs", "no-bank", "sha512", {"bank": "sha512"}, root=root)


def bad_logs(stage):
    def log(data):
        root = stage.tree()
        put(root, FIRMWARE_LOG, data)
        return root

    stage.expect("log: none", "eventlog", "no-log", "does not exist")
    stage.expect("log: empty", "eventlog", "no-log", "is empty", root=log(b""))
    root = log(b"")
    os.truncate(root / FIRMWARE_LOG, 100 * 1024 * 1024)
    stage.expect("log: 100 MB", "eventlog", "bad-log", "larger than 4 MiB", root=root)
    got = stage.ask("verdict", root=root)["return"]
    check("log: 100 MB, and a verdict", got["log"]["status"] in ("absent", "unusable"), got)

    good = vector("a")[0]
    count = good[:8 + 20] + good[28:]
    for name, data in (("half", good[:len(good) // 2]), ("garbage", b"\xff" * 5000), ("zeros", bytes(4096)),
                       ("a length of 2^32-1", good[:28] + b"\xff" * 4 + good[32:]),
                       ("a count of 2^32-1", count.replace(struct.pack("<I", 4), b"\xff" * 4))):
        reply = stage.ask("eventlog", root=log(data))
        state = reply.get("return", {}).get("logs", {}).get("firmware", {}).get("status", reply.get("error"))
        check(f"log: {name}", state != "complete", reply)

    if os.geteuid() != 0:
        skip("log: without permission", "only root can become another user")
        return
    root = log(good)
    for path in (root / FIRMWARE_LOG).parents:
        if path.is_relative_to(stage.folder):
            path.chmod(0o755)
    (root / FIRMWARE_LOG).chmod(0o440)
    try:
        stage.expect("log: without permission", "eventlog", "permission", "only root", root=root, user=65534)
    except (PermissionError, json.JSONDecodeError) as e:
        skip("log: without permission", f"the program cannot be run by another user: {e}")


def long_log(stage):
    """Four MiB of events: every page is within bounds, and they make up the whole."""
    record = struct.pack("<II20sI", 8, 13, b"\xaa" * 20, 100) + b"\x01" * 100
    root = stage.tree()
    put(root, FIRMWARE_LOG, record * (4 * 1024 * 1024 // len(record)))
    offset, seen, pages = 0, 0, 0
    while offset is not None and pages < 1000:
        reply = stage.ask("eventlog", {"offset": offset}, root=root)["return"]
        seen += len(reply["events"])
        if pages == 2:  # enough of the beginning; now the end
            offset, seen = reply["total"] - 300, reply["total"] - 300
        else:
            offset = reply["next"]
        pages += 1
    check("log: 4 MiB of events in pages", seen == reply["total"] and pages > 3, (seen, pages, reply["total"]))


# Devices -------------------------------------------------------------------------------------------------------

def devices(stage, folder):
    fifo = f"{folder}/fifo"
    os.mkfifo(fifo)
    for name, device, error, part in (
            ("a device that is missing", f"{folder}/missing", "no-device", "does not exist"),
            ("a FIFO", fifo, "tpm-error", "not a character device"),
            ("a directory", folder, "tpm-error", "not a character device"),
            ("/dev/null", "/dev/null", "bad-answer", "short answer of 0 bytes"),
            ("a socket that is missing", f"unix:{folder}/missing", "no-device", "does not exist"),
            ("a socket of nobody", f"unix:{fifo}", "no-device", "no process listens")):
        for verb, arguments in (("pcrs", None), ("quote", quote_arguments())):
            if name == "/dev/null" and verb == "quote":
                continue
            stage.expect(f"{name}: {verb}", verb, error, part, arguments, device=device)


def lies(fixed):
    """A TPM that gives this answer to every command."""
    return lambda command: fixed


def honest_but(wrong):
    """A TPM that answers correctly about its bank, and wrongly about the values."""
    return lambda command: wrong(command) if tpms.is_pcr_read(command) else tpms.banks(sha256=range(24))


def moving():
    counter = iter(range(10 ** 6))

    def behaviour(command):
        n = next(counter)
        return tpms.values(command, n).replace(b"\x07" * 32, struct.pack("<I", n) * 8)
    return honest_but(behaviour)


PLAYED = {  # name: (behaviour, class, part of the sentence)
    "hangs up": (lies(None), "bad-answer", "short answer of 0 bytes"),
    "a length of 4 GiB": (lies(tpms.message(bytes(5000), size=0xFFFFFFFF)), "bad-answer", "announced 4294967295"),
    "too short a length": (lies(tpms.message(bytes(8), size=9)), "bad-answer", "announced 9"),
    "an empty answer": (lies(tpms.message()), "bad-answer", "malformed"),
    "TPM_RC_FAILURE": (lies(tpms.message(rc=0x101)), "tpm-error", "0x101 (TPM_RC_FAILURE)"),
    "TPM_RC_RETRY": (lies(tpms.message(rc=0x922)), "busy", "TPM_RC_RETRY"),
    "TPM_RC_TESTING": (lies(tpms.message(rc=0x90A)), "busy", "TPM_RC_TESTING"),
    "TPM_RC_INITIALIZE": (lies(tpms.message(rc=0x100)), "tpm-error", "TPM_RC_INITIALIZE"),
    "a code that nobody knows": (lies(tpms.message(rc=0xFFFFFFFF)), "tpm-error", "unknown code"),
    "a TPM 1.2": (lies(tpms.message(tag=0xC4, rc=0x1E)), "tpm12", "TPM 1.2"),
    "2^32-1 banks": (lies(tpms.message(struct.pack(">BII", 0, 5, 0xFFFFFFFF))), "bad-answer", "malformed"),
    "no values": (honest_but(lies(tpms.message(bytes(12)))), "bad-answer", "TPM2_PCR_Read"),
    "values of another length": (honest_but(lambda c: tpms.values(c).replace(b"\0\x20", b"\0\x21")), "bad-answer",
                                 "TPM2_PCR_Read"),
    "an error on the way": (honest_but(lies(tpms.message(rc=0x9A2))), "tpm-error", "TPM_RC_BAD_AUTH"),
    "PCRs that never stand still": (moving(), "unstable", "ask again"),
    "byte by byte": (lambda c: [bytes([b]) for b in (tpms.values(c) if tpms.is_pcr_read(c) else
                                                     tpms.banks(sha256=range(24)))], None, None),
}


def played(stage, folder):
    for i, (name, (behaviour, error, part)) in enumerate(PLAYED.items()):
        with Played(f"{folder}/played{i}", behaviour) as tpm:
            if error:
                stage.expect(f"a TPM with {name}", "pcrs", error, part, device=tpm.device)
            else:
                reply = stage.ask("pcrs", device=tpm.device)
                check(f"a TPM with {name}", "return" in reply, reply)
        if error in ("tpm-error", "busy"):
            with Played(f"{folder}/verdict{i}", behaviour) as tpm:
                got = stage.ask("verdict", device=tpm.device)["return"]
                check(f"verdict of a TPM with {name}", got["state"] == "unreadable", got)
    with Played(f"{folder}/quoted", lies(tpms.message(rc=0x101))) as tpm:
        stage.expect("a quote of a TPM that fails", "quote", "tpm-error", "TPM_RC_FAILURE", quote_arguments(),
                     device=tpm.device)


def timed(stage, name, path, behaviour, verb, arguments, part, least, most):
    started = time.monotonic()
    try:
        with Played(path, behaviour) as tpm:
            reply = stage.ask(verb, arguments, device=tpm.device)
    except Exception as e:  # a thread's failure counts too
        reply = {"error": {"class": repr(e), "desc": ""}}
    seconds = time.monotonic() - started
    got = reply.get("error", {})
    check(f"{name}: {verb}", got.get("class") == "no-answer" and part in got["desc"] and least < seconds < most,
          (reply, seconds))


def silence(stage, folder):
    """The cases that wait for a time limit, all at once."""
    def slow(command):
        time.sleep(8)
        return tpms.values(command) if tpms.is_pcr_read(command) else tpms.banks(sha256=range(24))

    half = tpms.banks(sha256=range(24))[:7]
    sent = iter((half, False))
    rows = (("a TPM that says nothing", "n1", lies(False), "pcrs", None, "does not answer", 9, 13),
            ("a TPM that says nothing", "n2", lies(False), "quote", quote_arguments(), "does not answer", 9, 13),
            ("a TPM that stops halfway", "n3", lambda c: next(sent), "pcrs", None, "does not answer", 9, 13),
            ("a TPM that is slow each time", "n4", slow, "pcrs", None, "within 15 s", 14, 18))
    threads = [threading.Thread(target=timed, args=(stage, name, f"{folder}/{path}", *row))
               for name, path, *row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    tool = os.path.abspath(sys.argv[1])
    without = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="gtune-tpm-", dir="/tmp")
    os.chmod(folder, 0o755)
    stage = Stage(tool, folder)
    waiting = threading.Thread(target=silence, args=(stage, folder))
    try:
        waiting.start()
        requests(stage)
        framing(stage)
        bad_trees(stage)
        bad_logs(stage)
        long_log(stage)
        devices(stage, folder)
        played(stage, folder)
        verdicts(stage, folder)
        vectors(stage)
        baselines(stage)
        with Swtpm(f"{folder}/tpm") as tpm:
            real_pcrs(stage, tpm)
            quotes(stage, tpm, pathlib.Path(tpm.folder))
            no_quotes(stage, tpm, folder, without)
        few_banks(stage, folder)
        waiting.join()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
