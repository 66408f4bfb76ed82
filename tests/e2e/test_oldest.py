# SPDX-License-Identifier: Apache-2.0
"""The oldest Debian that is built for: systemd 252, kernel 6.1, qemu-ga 7.2, tpm2-tools 5.4. The units start, systemd
knows each of their settings, each way to them works, and qga-policy lives its life with that qemu-ga."""

import subprocess

import image
import journal
from checks import test
from test_credential import ACCEPT, GOOD, TAKEN, UNITS, OfferedGuest, as_text, report
from test_qga import BLOCKED, DROP_IN, PROGRAM, disabled, main_cases, wait_for

BAKED = "etc/gtuned/gtuned.conf.d/50-e2e.conf"
OWN = ACCEPT + "\n[channel]\nallow_apply = yes\n"
POLICY = "/etc/gtuned/gtuned.conf.d/60-more.conf"
EXEC = {"guest-exec", "guest-exec-status"}
TIMES = {"gtuned-apply.service": "10min", "gtuned.service": "1min 30s"}
# A setting that is not known is ignored, and its protection is lost.
PROTECTED = {"NoNewPrivs": "1", "Seccomp": "2"}
SLOW = 240
RIGHTS = (1 << 2) | (1 << 34)  # CAP_DAC_READ_SEARCH, CAP_SYSLOG


def bake(root):
    """An image that takes the host's policy, and lets it start an apply."""
    (root / BAKED).write_text(OWN + "\n[qga-policy]\nblock = exec\n")


def booted(guest, checks):
    """The boot unit has taken the credential and applied the policy."""
    state = guest.boot()
    checks.note(f"boot took {guest.boot_seconds:.1f} s")
    checks.equal("the boot ends in a running system", state, "running")
    checks.contains("systemd is 252", guest.check("systemctl --version"), "systemd 252 ")
    for unit, time in TIMES.items():
        checks.equal(f"{unit}: what a slow machine may take", guest.check(f"systemctl show -P TimeoutStartUSec {unit}"),
                     time + "\n")
    # An emulated qemu-ga may be too slow to be asked at boot; then qga-policy waits for the next apply.
    guest.shell("systemctl start gtuned-apply.service", timeout=SLOW)
    checks.equal("the apply unit succeeds", guest.check("systemctl show -P Result gtuned-apply.service"), "success\n")
    checks.contains("qga-policy is applied", guest.read_file(DROP_IN), b"guest-exec")
    checks.equal("qemu-ga obeys", disabled(guest), EXEC)
    found = report(guest)["policy"]
    checks.equal("the host reads that its policy was taken", found["credential"], {"state": "taken", "reason": None})
    checks.equal("the credential is kept as it came", guest.read_file(TAKEN), GOOD.encode())


def protected(guest, checks):
    """What the kernel enforces for the daemon."""
    pid = guest.check("systemctl show -P MainPID gtuned.service").strip()
    status = dict(line.split(":", 1) for line in guest.check(f"cat /proc/{pid}/status").splitlines())
    for name, value in PROTECTED.items():
        checks.equal(f"the daemon's {name}", status[name].strip(), value)
    checks.equal("the daemon's capabilities", int(status["CapBnd"], 16), RIGHTS)
    guest.check("touch /root/secret /usr/seen")
    checks.equal("the daemon sees /usr", guest.shell(f"test -e /proc/{pid}/root/usr/seen")[0], 0)
    checks.equal("the daemon sees nothing in /root", guest.shell(f"test -e /proc/{pid}/root/root/secret")[0], 1)


def asked(guest, checks):
    """Both sockets, from the host."""
    ours, theirs = guest.check("gtune pcr"), guest.check("tpm2_pcrread")
    checks.equal("gtune pcr prints what tpm2_pcrread prints", ours, theirs)
    checks.contains("a bank without PCRs is among it", ours, "  sha1:\n  sha256:\n")
    with guest.channel() as host:
        quote = host.query("gtune-quote", {"nonce": "5a" * 16, "bank": "sha256", "selection": "0-7"}, timeout=30)
        checks.ok("a quote is made", quote["attest"] and quote["signature"])
        guest.write_file(POLICY, "[qga-policy]\nblock = exec, file-access\n")
        checks.equal("the host starts an apply", host.query("gtune-apply", timeout=30), {"started": True})
    checks.ok("qemu-ga obeys the new policy", wait_for(lambda: disabled(guest) == BLOCKED))


def silent(guest, checks):
    """systemd has read every unit by now. That a complaint would be found is shown with a unit that has one."""
    checks.equal("systemd complains of nothing in our units", journal.complaints(guest), [])
    guest.write_file("/run/systemd/system/gtuned-e2e.service", "[Service]\nExecStart=/bin/true\nNoSuchKey=1\n")
    guest.shell("systemctl start gtuned-e2e.service")
    checks.contains("a setting that it does not know would be found", str(journal.complaints(guest)), "NoSuchKey")


def withdrawn(guest, checks):
    """Without a policy for it, qemu-ga is open again, and nothing is held."""
    guest.write_file(f"/{BAKED}", OWN)
    guest.check(f"rm {POLICY}")
    checks.equal("an apply leaves haltpoll, which this kernel does not have",
                 guest.shell("gtune apply", timeout=SLOW)[0], 5)
    checks.ok("the drop-in is gone", guest.shell(f"ls -d {DROP_IN}")[0] == 2)


@test("oldest", needs_tree=True, boots=2)
def oldest(environment, checks):
    """One boot of Debian 12, and the time of another."""
    disk = image.build(environment.cache, environment.work / "image", environment.tree, UNITS, bake=bake,
                       debian=image.OLDEST)
    with OfferedGuest(disk, "oldest", environment.work, as_text(GOOD), tpm=True) as guest:
        subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", guest.dir / "tpm", "--pcr-banks", "sha256"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        booted(guest, checks)
        protected(guest, checks)
        asked(guest, checks)
        withdrawn(guest, checks)
        checks.contains("the version of qemu-ga", guest.check(f"{PROGRAM} -V"), " 7.2.")
        main_cases(guest, checks, left=5)
        silent(guest, checks)
