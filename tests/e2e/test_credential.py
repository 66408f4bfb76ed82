# SPDX-License-Identifier: Apache-2.0
"""First boots: with a policy that the host passes by SMBIOS, with what it may not pass, and with a wrong file."""

import base64
import pathlib
import subprocess

import image
import journal
from checks import test
from qemu import Guest
from test_main import GRUB_CFG, TUNABLE, original_grub_cfg, practice

UNITS = ("gtuned-apply.service", "gtuned-request.socket", "gtuned-tpm.socket")
POLICY = "etc/gtuned/gtuned.conf.d"
IMAGE_POLICY = "/usr/lib/gtuned/gtuned.conf.d/10-image.conf"
TAKEN = "/run/gtuned/gtuned.conf.d/50-credential.conf"
ACCEPT = "[guest]\naccept_credential = yes\n"
GOOD = "[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = 300000\n"
BAD = "[guest]\nvcpu = dedicated\n\n[qga-policy]\nallow = exec\n"
WRONG = "[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = fast\n"


class OfferedGuest(Guest):
    """A guest whose host passes a policy by SMBIOS."""

    def __init__(self, disk, name, work, offer, **machine):
        super().__init__(disk, name, work, **machine)
        self._offer = offer

    def _machine_arguments(self):
        value = self._offer.replace(",", ",,")
        return [*super()._machine_arguments(), "-smbios", f"type=11,value=io.systemd.credential{value}"]


def as_text(policy):
    """A policy as it stands."""
    return f":gtuned.policy={policy}"


def as_binary(policy):
    """A policy in base64."""
    return ".binary:gtuned.policy=" + base64.b64encode(policy.encode()).decode()


def build(environment, name, policy):
    """An image whose own policy is the text, and which has no other."""
    def bake(root):
        for path in (root / POLICY).glob("*.conf"):
            path.unlink()
        target = root / IMAGE_POLICY.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(policy)

    return image.build(environment.cache, environment.work / name, environment.tree, UNITS, bake=bake)


def report(guest):
    """What the host reads."""
    with guest.channel() as host:
        return host.query("gtune-status")


def unchanged(guest, checks):
    """Nothing was written, and nobody is told to reboot."""
    name = guest.name
    checks.equal(f"{name}: grub.cfg is the original", guest.read_file(GRUB_CFG), original_grub_cfg(guest))
    checks.equal(f"{name}: the tunable is the kernel's", guest.read_file(TUNABLE), b"200000\n")
    checks.equal(f"{name}: reboot-needed says no", guest.shell("gtune reboot-needed")[0], 1)
    checks.ok(f"{name}: nothing of the credential is a policy file", guest.shell(f"test -e {TAKEN}")[0] != 0)


def asked_by_host(guest, environment):
    """The same by gtune-host: its exit status and what it prints."""
    done = subprocess.run([pathlib.Path(environment.tree) / "usr/bin/gtune-host", "status", guest.sockets["gtuned"]],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def taken(guest, checks, environment):
    """The first boot: the boot unit has taken and applied what the host passed."""
    checks.equal("boot 1 ends in a running system", guest.boot(), "running")
    checks.equal("boot 1: the text is kept as it came", guest.read_file(TAKEN), GOOD.encode())
    checks.equal("boot 1: everybody may read it", guest.check(f"stat -c '%a %U' {TAKEN}").strip(), "644 root")
    found = report(guest)
    checks.equal("boot 1: the host reads pending-reboot", practice(found)["state"], "pending-reboot")
    checks.equal("boot 1: it reads that its policy was taken", found["policy"].get("credential"),
                 {"state": "taken", "reason": None})
    checks.contains("boot 1: the file is one of the policy's", found["policy"]["files"], TAKEN)
    checks.equal("boot 1: the tunable is the credential's", guest.read_file(TUNABLE), b"300000\n")
    checks.contains("boot 1: grub.cfg has the token", guest.read_file(GRUB_CFG), b" cpuidle_haltpoll.force=Y\n")
    checks.equal("boot 1: reboot-needed says yes", guest.shell("gtune reboot-needed")[0], 0)
    status, out = asked_by_host(guest, environment)
    checks.ok("boot 1: gtune-host says pending-reboot", status == 4 and "pending-reboot" in out, f"{status}: {out}")
    checks.equal("boot 1: an apply by hand takes nothing away",
                 guest.shell(f"gtune apply; test -e {TAKEN}")[0], 0)


def in_effect(guest, checks):
    """The second boot."""
    guest.reboot()
    found = report(guest)
    checks.equal("boot 2: the host reads active", practice(found)["state"], "active")
    checks.equal("boot 2: no further reboot", found["reboot_needed"], False)
    checks.equal("boot 2: gtune status agrees", guest.shell("gtune status")[0], 0)


def withdrawn(guest, checks):
    """The administrator accepts it no more."""
    guest.write_file(f"/{POLICY}/90-own.conf", "[guest]\naccept_credential = no\n")
    guest.shell("systemctl start gtuned-apply.service")
    checks.ok("withdrawn: the policy file is gone", guest.shell(f"test -e {TAKEN}")[0] != 0)
    checks.equal("withdrawn: the tunable is the kernel's again", guest.read_file(TUNABLE), b"200000\n")
    checks.equal("withdrawn: grub.cfg is the original", guest.read_file(GRUB_CFG), original_grub_cfg(guest))
    checks.equal("withdrawn: the host reads offered", report(guest)["policy"]["credential"]["state"], "offered")


def refused(guest, checks, environment):
    """A first boot with a credential that sets what it may not: nothing of it counts."""
    checks.equal("bad credential: the boot ends, with the apply unit failed", guest.boot(), "degraded")
    checks.equal("bad credential: only that unit", guest.check("systemctl --failed --plain --no-legend").split()[:1],
                 ["gtuned-apply.service"])
    unchanged(guest, checks)
    found = report(guest)["policy"]
    errors = found["errors"]
    checks.equal("bad credential: the host reads refused", found["credential"]["state"], "refused")
    checks.equal("bad credential: it reads file and line", [(e["file"], e["line"]) for e in errors],
                 [("credential gtuned.policy", 5)])
    checks.contains("bad credential: it reads the reason", errors[0]["reason"],
                    "allow in [qga-policy] may not come from the host")
    status, out = asked_by_host(guest, environment)
    checks.ok("bad credential: gtune-host says so", status == 1 and "credential gtuned.policy:5" in out,
              f"{status}: {out}")
    status, out, err = guest.shell("gtune status")
    checks.ok("bad credential: gtune status says so", status == 1 and "credential gtuned.policy:5: allow" in err,
              out + err)
    checks.note("what a person sees:\n" + err + out)


def wrong_file(guest, checks):
    """A first boot with an error in the image's own policy."""
    checks.equal("bad policy: the boot ends, with the apply unit failed", guest.boot(), "degraded")
    unchanged(guest, checks)
    found = report(guest)
    errors = found["policy"]["errors"]
    checks.equal("bad policy: the host reads file and line", [(e["file"], e["line"]) for e in errors],
                 [(IMAGE_POLICY, 5)])
    checks.contains("bad policy: it reads the reason", errors[0]["reason"],
                    "guest_halt_poll_ns = fast: expected a whole number")
    checks.equal("bad policy: it reads that apply failed", found["last_apply"]["result"], "failed")
    guest.shell("systemctl start gtuned-apply.service")
    journal.check_sent(guest, checks, "REFUSED", 1, 3, "Nothing of the policy is applied", GTUNED_FILE=IMAGE_POLICY,
                       GTUNED_LINE="5")


def not_accepted(guest, checks):
    """The same guest with the error mended: what the host offers is not accepted, and that is said."""
    guest.write_file(IMAGE_POLICY, "[haltpoll]\nguest_halt_poll_ns = 250000\n")
    checks.equal("not accepted: the apply unit succeeds", guest.shell("systemctl start gtuned-apply.service")[0], 0)
    unchanged(guest, checks)
    status, out, err = guest.shell("gtune status")
    checks.ok("not accepted: gtune status says so", status == 0 and "does not accept it" in " ".join(out.split()),
              out + err)
    checks.note("what a person sees:\n" + out)
    found = report(guest)["policy"].get("credential")
    checks.ok("not accepted: the host reads so", found and found["state"] == "offered" and
              "accept_credential = yes" in found["reason"], str(found))
    checks.contains("not accepted: and the journal has it", " ".join(guest.check(
        "journalctl -b -o cat -u gtuned-apply.service").split()), "does not accept it")


@test("credential", needs_tree=True, boots=4)
def credential(environment, checks):
    """Four boots: two with a good policy, the first ones with a bad credential and with a bad policy file."""
    accepting = build(environment, "accepting", ACCEPT)
    with OfferedGuest(accepting, "good", environment.work, as_text(GOOD)) as guest:
        taken(guest, checks, environment)
        in_effect(guest, checks)
        withdrawn(guest, checks)
    with OfferedGuest(accepting, "bad-credential", environment.work, as_binary(BAD)) as guest:
        refused(guest, checks, environment)
    erring = build(environment, "erring", WRONG)
    with OfferedGuest(erring, "bad-policy", environment.work, as_binary(GOOD)) as guest:
        wrong_file(guest, checks)
        not_accepted(guest, checks)
