# SPDX-License-Identifier: Apache-2.0
"""measured-boot with a real TPM (swtpm), real firmware and a real GRUB, and a host that checks quotes over the port."""

import json
import os
import pathlib
import statistics
import subprocess
import time

import jsonschema

import image
import journal
from checks import test
from qemu import Guest

GTUNE_TPM = "/usr/libexec/gtuned/gtune-tpm"
POLICY = "/etc/gtuned/gtuned.conf.d/70-tpm.conf"
GRUB_CFG = f"/boot/efi/{image.GRUB_CFG}"
LOADER = "/boot/efi/EFI/BOOT/BOOTX64.EFI"
BANKS = ("sha1", "sha256", "sha384", "sha512")
MARK = "gtuned.e2e=marked"
SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "doc/channel.schema.json"
QUOTES, QUOTES_THOROUGH = 200, 1000


def practice(guest, seconds=10):
    """measured-boot as the host reads it. A report may be a moment older than the verdict that was just made."""
    deadline = time.monotonic() + seconds
    while True:
        with guest.channel() as host:
            report = host.query("gtune-status")
        found = next(p for p in report["practices"] if p["name"] == "measured-boot")
        if found["reason_code"] not in ("not-judged", "other-boot") or time.monotonic() > deadline:
            return found
        time.sleep(0.3)


def verdict_of(found):
    """State and reason code."""
    return found["state"], found["reason_code"]


def ask_tpm(guest, verb, **arguments):
    """What gtune-tpm answers, run in the guest."""
    question = json.dumps({"execute": verb, "arguments": arguments}) + "\n"
    return json.loads(guest.check(GTUNE_TPM, stdin=question.encode()))["return"]


def measured(guest, checks):
    """A boot through OVMF and GRUB 2.12."""
    found = practice(guest)
    checks.equal("the boot was measured", verdict_of(found), ("active", None))
    verdict = ask_tpm(guest, "verdict")
    checks.equal("the log leads to the PCRs", (verdict["state"], verdict["log"]["status"]), ("measured", "match"))
    checks.equal("in every bank", sorted(verdict["log"]["banks"]), sorted(BANKS))
    # PCR 10 is the kernel's own, and nothing in the log tells of it.
    checks.ok("in PCR 0 to 9", all(not set(bank["disagree"]) & set(range(10)) for bank in verdict["log"]["banks"].values()),
              repr(verdict["log"]["banks"]))
    ours, theirs = guest.check("gtune pcr"), guest.check("tpm2_pcrread")
    checks.equal("gtune pcr prints what tpm2_pcrread prints", ours, theirs)
    checks.contains("the event log tells the command line", guest.check("gtune eventlog"), "root=/dev/nvme0n1p2")
    checks.note("what a person sees:\n" + guest.shell("gtune status measured-boot")[1])


def replies(guest, checks):
    """What the commands return is what the schema says."""
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    requests = (("gtune-pcrs", {"bank": "sha256"}), ("gtune-eventlog", {"offset": 0}),
                ("gtune-quote", {"nonce": "5a" * 16, "bank": "sha256", "selection": "0-7"}))
    with guest.channel() as host:
        for name, arguments in requests:
            reply = host.query(name, arguments, timeout=30)
            checks.equal(f"{name}: its schema", [error.message for error in schema.iter_errors({name: reply})], [])


def contained(guest, checks):
    """The daemon has neither the libraries nor the device."""
    pid = guest.check("systemctl show -P MainPID gtuned.service").strip()
    maps = guest.check(f"cat /proc/{pid}/maps")
    checks.ok("the daemon maps no libtss2 and no libcrypto", "libtss2" not in maps and "libcrypto" not in maps)
    inside = f"nsenter -t {pid} -m -- /usr/bin/dd if=/dev/tpmrm0 bs=1 count=0"
    slice_ = guest.check("systemctl show -P ControlGroup gtuned.service").strip()
    status, _, err = guest.shell(f"echo $$ > /sys/fs/cgroup{slice_}/cgroup.procs; exec {inside}")
    checks.ok("from inside its unit not even root opens /dev/tpmrm0", status != 0, err)


def _private_dirty(guest):
    pid = guest.check("systemctl show -P MainPID gtuned.service").strip()
    line = guest.check(f"grep ^Private_Dirty: /proc/{pid}/smaps_rollup")
    return int(line.split()[1])


def _quote(host):
    return host.ask("gtune-quote", {"nonce": os.urandom(32).hex(), "bank": "sha256", "selection": "0-7"}, timeout=30)


def many_quotes(guest, checks, count):
    """Memory stays, and others are answered meanwhile."""
    with guest.channel() as host:
        host.sync()
        for _ in range(20):
            _quote(host)
        before = _private_dirty(guest)
        for _ in range(count):
            _quote(host)
        after = _private_dirty(guest)
        checks.ok(f"{count} quotes: private memory is unchanged", after <= before + 8, f"{before} kB, then {after} kB")
        checks.note(f"{count} quotes: {before} kB private before, {after} kB after")
        _ping_during_quote(host, checks)


def _ping_during_quote(host, checks):
    """The answer to a ping does not wait for the quote before it."""
    alone, during = [], []
    for number in range(20):
        began = time.monotonic()
        host.ask("guest-ping")
        alone.append(time.monotonic() - began)
        host.send(json.dumps({"execute": "gtune-quote", "id": f"q{number}", "arguments": {
            "nonce": os.urandom(32).hex(), "bank": "sha256", "selection": "0-7"}}).encode())
        began = time.monotonic()
        host.send(b'{"execute":"guest-ping","id":"p"}')
        first = host.read_message(30)
        during.append(time.monotonic() - began)
        if first.get("id") != "p":
            checks.ok("a ping overtakes the quote before it", False, repr(first)[:200])
            return
        last = host.read_message(30)
        if "return" not in last or last.get("id") != f"q{number}":
            checks.ok("a ping overtakes the quote before it", False, repr(last)[:200])
            return
    checks.ok("a ping overtakes the quote before it")
    checks.note(f"ping: median {statistics.median(alone) * 1e6:.0f} us alone, "
                f"{statistics.median(during) * 1e6:.0f} us with a quote under way")


def gtune_host(environment, *arguments):
    """Runs the host tool."""
    return subprocess.run([environment.tree / "usr/bin/gtune-host", *arguments], capture_output=True, text=True, timeout=120,
                          check=False)


def verified_by_host(guest, environment, checks):
    """gtune-host quote over the port, and tpm2_checkquote over what it writes."""
    keys, files = guest.dir / "keys", guest.dir / "quote"
    files.mkdir()
    target = str(guest.sockets["gtuned"])
    first = gtune_host(environment, "quote", "--name", "vm", "--keys", keys, "--write", files, target)
    checks.equal("gtune-host quote verifies", first.returncode in (0, 3, 4, 5), True) or checks.note(first.stdout + first.stderr)
    checks.note("what an operator sees:\n" + first.stdout + first.stderr)
    again = gtune_host(environment, "quote", "--name", "vm", "--keys", keys, target)
    checks.equal("the key is known the second time", again.returncode, first.returncode)
    command = next((line.strip() for line in first.stdout.splitlines() if "tpm2_checkquote" in line), None)
    checks.ok("it prints the command for tpm2_checkquote", command is not None, first.stdout)
    if command:
        done = subprocess.run(command, shell=True, cwd=files, capture_output=True, text=True, check=False)
        checks.equal("tpm2_checkquote accepts the files", done.returncode, 0) or checks.note(done.stderr)
    pcrs = gtune_host(environment, "pcrs", "--bank", "sha256", "--json", target)
    checks.equal("gtune-host pcrs answers", pcrs.returncode, 0)


def announced(guest):
    """Which baseline PCRs the plan says that the next boot will change."""
    plan = json.loads(guest.shell("gtune plan --json")[1])
    return sorted(int(n) for n in plan["pcrs"]["baseline"])


def mismatches(guest):
    """Which baseline PCRs differ, and the words of the check."""
    status, out, _ = guest.shell("gtune baseline check --json")
    pcrs = json.loads(out)["pcrs"]
    return status, sorted(int(n) for n, pcr in pcrs.items() if pcr["outcome"] == "mismatch"), out


def mismatch_is_told(guest, checks, pcr):
    """A PCR that must have its value, and does not: told once, however often it is looked at."""
    document = json.loads(guest.read_file("/etc/gtuned/baseline.json"))
    document["pcrs"][str(pcr)]["level"] = "must"
    guest.write_file("/etc/gtuned/baseline.json", json.dumps(document))
    for _ in range(2):
        guest.shell("gtune apply")
    journal.check_sent(guest, checks, "BASELINE_MISMATCH", 1, 3, f"PCR {pcr}", PRACTICE="measured-boot",
                       GTUNED_REASON_CODE="baseline-mismatch")


def baseline(guest, checks):
    """Saved, found again, and changed by what the plan had announced."""
    guest.write_file(POLICY, "[haltpoll]\nenable = no\n\n[measured-boot]\nbaseline = /etc/gtuned/baseline.json\n")
    guest.shell("gtune apply")
    checks.equal("haltpoll is out of the way", guest.shell("gtune reboot-needed")[0], 1)
    checks.equal("baseline save", guest.shell("gtune baseline save --label first")[0], 0)
    guest.reboot()
    checks.equal("after a reboot the baseline is met", mismatches(guest)[:2], (0, []))
    checks.equal("and the practice is active", practice(guest)["state"], "active")
    guest.write_file(POLICY, "[guest]\nvcpu = dedicated\n\n[measured-boot]\nbaseline = /etc/gtuned/baseline.json\n")
    expected = announced(guest)
    checks.ok("the plan announces PCRs", len(expected) > 0, repr(expected))
    guest.shell("gtune apply")
    guest.reboot()
    status, found, text = mismatches(guest)
    checks.equal("exactly those differ", found, expected)
    checks.contains("the event with the new command line is shown", text + guest.shell("gtune baseline check")[1],
                    "cpuidle_haltpoll.force=Y")
    mismatch_is_told(guest, checks, found[0])
    checks.note(f"baseline check: exit {status}, announced {expected}, changed {found}")


@test("tpm", needs_tree=True, boots=3)
def tpm(environment, checks):
    """OVMF, GRUB 2.12 and a TPM 2.0."""
    with Guest(environment.image, "tpm", environment.work, tpm=True) as guest:
        guest.boot()
        for case in (measured, contained, replies):
            with checks.guard(case.__name__):
                case(guest, checks)
        with checks.guard("verified_by_host"):
            verified_by_host(guest, environment, checks)
        with checks.guard("many_quotes"):
            many_quotes(guest, checks, QUOTES_THOROUGH if environment.thorough else QUOTES)
        with checks.guard("baseline"):
            baseline(guest, checks)


@test("tpm-kinds", needs_tree=True, boots=4)
def tpm_kinds(environment, checks):
    """Boots that were measured less, or not at all."""
    with Guest(environment.image, "tpm-kinds", environment.work, tpm=True) as guest:
        guest.boot(direct=True, efi=False)
        found = practice(guest)
        checks.ok("SeaBIOS is not called measured", found["state"] == "differs", repr(verdict_of(found)))
        guest.shutdown()
        guest.boot(direct=False)
        guest.check(f"cp /boot/efi/{image.OLD_GRUB} {LOADER} && sync")
        guest.reboot()
        found = practice(guest)
        checks.equal("GRUB 2.06: measured", found["state"], "active")
        checks.equal("GRUB 2.06: and there is no log", ask_tpm(guest, "verdict")["log"]["status"], "absent")
        checks.contains("GRUB 2.06: which is said", guest.shell("gtune status measured-boot")[1], "log")
        guest.shutdown()
        guest.tpm = False
        guest.boot()
        checks.equal("without a TPM it is said so", practice(guest)["state"], "unsupported")
        checks.equal("and gtune pcr says so", guest.shell("gtune pcr")[0], 1)
