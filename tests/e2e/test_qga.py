# SPDX-License-Identifier: Apache-2.0
"""qga-policy with a real qemu-ga: what the host may call, seen from the host's side of qemu-ga's own port. An older
one is in test_oldest.py."""

import base64
import time

import image
from channel import ChannelError, ChannelTimeout, RemoteError
from checks import test
from qemu import Guest

UNIT = "qemu-guest-agent.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/90-gtuned.conf"
LATER = f"/etc/systemd/system/{UNIT}.d/99-admin.conf"
POLICY = "/etc/gtuned/gtuned.conf.d/60-qga.conf"
PROGRAM = "/usr/sbin/qemu-ga"
FILE_ACCESS = {f"guest-file-{verb}" for verb in ("open", "close", "read", "write", "seek", "flush")}
NOT_FOR_LINUX = {"guest-get-devices"}  # which qemu-ga before 9.1 lists, always disabled
BLOCKED = FILE_ACCESS | {"guest-exec", "guest-exec-status"}
PATIENCE = 60
SETTLING = 10
SLOW = 600  # what reads all units again, on a machine that has much else to do


def practice(host):
    """qga-policy as gtuned reports it."""
    return next(p for p in host.query("gtune-status")["practices"] if p["name"] == "qga-policy")


def state(guest):
    """State and reason code, as a host reads them."""
    with guest.channel() as host:
        found = practice(host)
    return found["state"], found["reason_code"]


def wait_for(condition, seconds=PATIENCE):
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except (ChannelError, RemoteError):
            pass
        time.sleep(0.3)
    return False


def expect_state(checks, name, guest, wanted, code=None):
    """A query may be answered with a report that is a moment old, so the state is waited for."""
    wait_for(lambda: state(guest) == (wanted, code), SETTLING)
    checks.equal(name, state(guest), (wanted, code))


def disabled(guest):
    """The names that qemu-ga itself calls disabled."""
    with guest.channel("qga") as host:
        commands = host.query("guest-info")["supported_commands"]
    return {c["name"] for c in commands if not c["enabled"]} - NOT_FOR_LINUX


def call(guest, name, arguments=None):
    """What qemu-ga returns or how it refuses."""
    with guest.channel("qga") as host:
        host.sync()
        try:
            return host.ask(name, arguments)
        except RemoteError as error:
            return error


def main_pid(guest):
    """qemu-ga's process, as systemd has it."""
    return int(guest.check(f"systemctl show -P MainPID {UNIT}"))


def put_program(guest, source):
    """Puts another qemu-ga into the place of the real one, and starts it."""
    guest.check(f"cp {source} {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM} && systemctl restart {UNIT}")


def open_before(guest, checks):
    """Without a policy everything is open."""
    checks.equal("before: nothing is disabled", disabled(guest), set())
    checks.contains("before: guest-exec works", call(guest, "guest-exec", {"path": "/bin/true"}), "pid")
    checks.ok("before: guest-file-open works", isinstance(call(guest, "guest-file-open", {"path": "/etc/hostname"}), int))
    expect_state(checks, "before: the practice is off", guest, "off")


def closed_after_apply(guest, checks, left):
    """The host's own guest-info says so, a call is refused, and the rest works."""
    guest.write_file(POLICY, "[qga-policy]\nblock = file-access, exec\n")
    expect_state(checks, "a policy that is not applied: differs", guest, "differs", "qga-not-configured")
    status, out, err = guest.shell("gtune apply")
    checks.equal("apply succeeds", (status, err), (left, ""))
    checks.equal("exactly those are disabled", disabled(guest), BLOCKED)
    refusal = call(guest, "guest-exec", {"path": "/bin/true"})
    checks.ok("guest-exec is refused", isinstance(refusal, RemoteError) and "disabled" in refusal.desc, repr(refusal))
    refusal = call(guest, "guest-file-open", {"path": "/etc/hostname"})
    checks.ok("guest-file-open is refused", isinstance(refusal, RemoteError) and "disabled" in refusal.desc, repr(refusal))
    checks.contains("guest-get-osinfo works", call(guest, "guest-get-osinfo"), "kernel-release")
    expect_state(checks, "the practice is active over gtuned's port", guest, "active")
    checks.note("what a person sees:\n" + guest.shell("gtune status qga-policy")[1])
    pid = main_pid(guest)
    guest.shell("gtune apply")
    checks.equal("a second apply restarts nothing", main_pid(guest), pid)


def undone_by_an_administrator(guest, checks):
    """A later drop-in is named, and a host that watches sees it."""
    with guest.channel() as host:
        host.watch()
        guest.write_file(LATER, f"[Service]\nExecStart=\nExecStart={PROGRAM}\n")
        guest.check(f"systemctl daemon-reload && systemctl restart {UNIT}", timeout=SLOW)
        seen = None
        for _ in range(20):
            try:
                changed = host.event(PATIENCE)["data"]["practices"]
            except ChannelTimeout:
                break
            seen = next((p for p in changed if p["name"] == "qga-policy"), seen)
            if seen and seen["state"] == "drifted":
                break
        checks.ok("a watching host sees drifted", seen is not None and seen["state"] == "drifted", repr(seen))
        checks.ok("the file is named", seen is not None and LATER in str(seen), repr(seen))
    guest.check(f"rm {LATER} && systemctl daemon-reload && systemctl restart {UNIT}", timeout=SLOW)
    checks.ok("active again without it", wait_for(lambda: state(guest)[0] == "active"), repr(state(guest)))


def reverted(guest, checks):
    """Everything is open again, and nothing is left behind."""
    guest.shell("gtune revert qga-policy")
    checks.equal("revert opens them", disabled(guest), set())
    checks.contains("guest-exec works again", call(guest, "guest-exec", {"path": "/bin/true"}), "pid")
    checks.equal("the drop-in is gone", guest.shell(f"ls -d {DROP_IN}")[0], 2)
    expect_state(checks, "off and held", guest, "off", "held")


def applied_through_guest_exec(guest, checks):
    """gtune is a child of the qemu-ga that it has to restart."""
    with guest.channel("qga") as host:
        host.query("guest-exec", {"path": "/usr/bin/gtune", "arg": ["apply"], "capture-output": True})
    checks.ok("apply through guest-exec completes", wait_for(lambda: state(guest)[0] == "active"), repr(state(guest)))
    checks.equal("exactly those are disabled then", disabled(guest), BLOCKED)
    checks.equal("the apply unit did it", guest.check("systemctl show -P Result gtuned-apply.service").strip(), "success")
    guest.shell("gtune revert qga-policy")


def refused_revert_through_guest_exec(guest, checks):
    """The apply unit does not revert: it is said, and nothing happens."""
    guest.shell("printf '[qga-policy]\\nblock = power\\n' > " + POLICY + "; gtune apply")
    with guest.channel("qga") as host:
        pid = host.query("guest-exec", {"path": "/usr/bin/gtune", "arg": ["revert", "qga-policy"],
                                        "capture-output": True})["pid"]
        done = {}

        def ended():
            done.update(host.ask("guest-exec-status", {"pid": pid}))
            return done["exited"]
        wait_for(ended)
    checks.equal("revert through guest-exec is refused", done.get("exitcode"), 1)
    checks.contains("and says what to use", base64.b64decode(done.get("err-data", "")).decode(), "systemd-run")
    guest.shell("gtune revert qga-policy; rm " + POLICY)


def frozen(guest, checks):
    """While file systems are frozen qemu-ga would not stop, so nothing is begun."""
    guest.check("gtune status >/dev/null; rm -f /run/marker")
    guest.check("touch /run/qga.state.isfrozen")
    guest.write_file(POLICY, "[qga-policy]\nblock = power\n")
    pid = main_pid(guest)
    status, _, err = guest.shell("gtune apply")
    checks.equal("frozen: refused", status, 1)
    checks.contains("frozen: it says so", err, "frozen")
    checks.equal("frozen: not restarted", main_pid(guest), pid)
    checks.equal("frozen: no drop-in", guest.shell(f"ls -d {DROP_IN}")[0], 2)
    guest.check("rm /run/qga.state.isfrozen")


def fails_to_start(guest, checks):
    """A qemu-ga that does not come up with its new arguments gets its old ones back."""
    real = f"{PROGRAM}.real"
    guest.check(f"cp {PROGRAM} {real} && cat /{image.BROKEN_QGA} {real} > /run/qemu-ga && chmod 755 /run/qemu-ga")
    put_program(guest, "/run/qemu-ga")
    status, _, err = guest.shell("gtune apply")
    checks.equal("a qemu-ga that fails: apply fails", status, 1)
    checks.contains("a qemu-ga that fails: it says so", err, "did not come up")
    checks.equal("a qemu-ga that fails: the drop-in is gone", guest.shell(f"ls -d {DROP_IN}")[0], 2)
    checks.ok("a qemu-ga that fails: it runs as before", wait_for(lambda: disabled(guest) == set()))
    put_program(guest, real)


def masked(guest, checks):
    """A masked unit is said to be masked."""
    guest.check(f"systemctl mask --runtime --now {UNIT}")
    expect_state(checks, "masked: conflict", guest, "conflict", "qga-masked")
    guest.check(f"systemctl unmask --runtime {UNIT} && systemctl start {UNIT}")


def started_by_hand(guest, checks):
    """A qemu-ga that no unit started is found."""
    guest.check(f"systemctl stop {UNIT} && systemd-run --unit=by-hand {PROGRAM}")
    # Nobody announces it: it is looked for when a report is older than a second.
    with guest.channel() as host:
        named = wait_for(lambda: "by-hand.service" in str(practice(host)))
        found = practice(host)
    checks.ok("started by hand: named", named, repr(found))
    checks.ok("started by hand: not active", found["state"] not in ("active", "off"), found["state"])
    guest.check(f"systemctl stop by-hand && systemctl start {UNIT}")


def main_cases(guest, checks, left=4):
    """The life of a policy. left is the status of an apply that leaves something: 4, haltpoll waits for its reboot."""
    def closed(guest, checks):
        closed_after_apply(guest, checks, left)

    for case in (open_before, closed, undone_by_an_administrator, reverted, applied_through_guest_exec):
        with checks.guard(case.__name__):
            case(guest, checks)


@test("qga-new", needs_tree=True)
def new_version(environment, checks):
    """qemu-ga 10.0 of Debian 13, and what can go wrong."""
    with Guest(environment.image, "qga-new", environment.work) as guest:
        guest.boot()
        checks.contains("the version", guest.check(f"{PROGRAM} -V"), " 10.0.")
        main_cases(guest, checks)
        for case in (refused_revert_through_guest_exec, frozen, fails_to_start, masked, started_by_hand):
            with checks.guard(case.__name__):
                case(guest, checks)


GENERATOR, SLEEP = "/run/systemd/system-generators/e2e-slow", 60


@test("slow-reload", needs_tree=True)
def slow_reload(environment, checks):
    """A service manager that takes a minute to read its files is waited for, on the way there and on the way back."""
    with Guest(environment.image, "slow-reload", environment.work) as guest:
        guest.boot()
        guest.write_file(GENERATOR, f"#!/bin/sh\nsleep {SLEEP}\n")
        guest.check(f"chmod 755 {GENERATOR}")
        guest.write_file(POLICY, "[qga-policy]\nblock = file-access, exec\n")
        began = time.monotonic()
        status, _, err = guest.shell("gtune apply", timeout=SLOW)
        checks.equal("slow: apply succeeds", (status, err), (4, ""))
        checks.ok("slow: it did take a minute", time.monotonic() - began > SLEEP)
        checks.equal("slow: exactly those are disabled", disabled(guest), BLOCKED)
        guest.check(f"rm {GENERATOR}")
        guest.shell("gtune revert qga-policy")
        guest.check(f"cat /{image.BROKEN_QGA} {PROGRAM} > /run/qemu-ga && chmod 755 /run/qemu-ga")
        put_program(guest, "/run/qemu-ga")
        guest.write_file(GENERATOR, f"#!/bin/sh\nsleep {SLEEP}\n")
        guest.check(f"chmod 755 {GENERATOR}")
        status, _, err = guest.shell("gtune apply", timeout=SLOW)
        checks.equal("slow, and it fails: apply fails", status, 1)
        checks.contains("slow, and it fails: what was put back is said to be back", err,
                        "its old configuration is back\n")
        checks.equal("slow, and it fails: the drop-in is gone", guest.shell(f"ls -d {DROP_IN}")[0], 2)
        checks.equal("slow, and it fails: it runs as before", disabled(guest), set())
