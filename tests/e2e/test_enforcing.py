# SPDX-License-Identifier: Apache-2.0
"""The whole main loop in a guest whose kernel enforces SELinux, and what the policy must deny."""

import collections
import re
import time

import image
import selinux_tree
from channel import RemoteError
from checks import test
from test_credential import OfferedGuest, asked_by_host, as_binary, IMAGE_POLICY, TAKEN, UNITS
from test_main import GRUB_CFG, TUNABLE, original_grub_cfg, practice, wait_state
from test_qga import DROP_IN, call, disabled, state, wait_for
from test_tpm import gtune_host

TOKEN = b"cpuidle_haltpoll.force=Y"
DEFAULT_GRUB, DEFAULT_GRUB_DROP_IN = "/etc/default/grub", "/etc/default/grub.d/99-gtuned.cfg"
ADMINISTRATORS = "/etc/gtuned/gtuned.conf.d/60-administrator.conf"
CLOUD_INITS = "/etc/gtuned/gtuned.conf.d/70-cloud-init.conf"
UNCONFINED = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023"
POLICY = "[guest]\naccept_credential = yes\n\n[channel]\nallow_apply = yes\n"
CREDENTIAL = "[guest]\nvcpu = dedicated\n\n[haltpoll]\nguest_halt_poll_ns = 300000\n"
EVENT_LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"
PORT = "/dev/virtio-ports/org.gtuned.echo.0"
DEEDS = "/usr/libexec/e2e-deeds"
CLOUD_INIT = "/usr/libexec/e2e-cloud-init"
DOMAINS = ("gtuned_t", "gtuned_tpm_t", "gtuned_request_t", "gtuned_apply_t")

# What no domain of gtuned may do, as (verb, path).
NEVER = (
    ("read", "/etc/shadow"),
    ("read", "/root"),
    ("read", "/dev/nvme0n1"),
    ("write", "/sys/fs/selinux/enforce"),
    ("write", IMAGE_POLICY),
    ("write", "/usr/bin/true"),
    ("run", "/bin/sh"),
)
WRITES = (
    ("create", "/etc/e2e-deed"),
    ("write", "/etc/hostname"),
    ("write", GRUB_CFG),
    ("write", "/var/lib/gtuned/ledger.json"),
    ("write", TUNABLE),
    ("run", "/usr/bin/true"),
)
TPM = (("read", "/dev/tpm0"), ("read", "/dev/tpmrm0"), ("read", EVENT_LOG))
FORBIDDEN = {
    "gtuned_t": NEVER + WRITES + TPM,
    "gtuned_tpm_t": NEVER + WRITES + (("read", PORT), ("read", GRUB_CFG)),
    "gtuned_request_t": NEVER + WRITES + TPM + (("read", PORT), ("read", GRUB_CFG)),
    "gtuned_apply_t": NEVER + TPM + (("read", PORT),),
}

# What is asked for and not needed: (domain, target, class, permissions, who asks). Each is a dontaudit rule of this
# module or of the reference policy, and all of these are switched off here. None stands for any type.
DONTAUDIT = (
    (None, None, "process", {"siginh", "rlimitinh", "noatsecure"}, "a new domain starts without what the old one had"),
    ("gtuned_apply_t", "init_t", "dir", {"search", "getattr"}, "/proc/1"),
    ("gtuned_apply_t", "init_t", "lnk_file", {"read"}, "/proc/1/root"),
    ("gtuned_apply_t", "init_t", "process", {"ptrace"}, "/proc/1/root"),
    (None, "self", "capability", {"net_admin"}, "a larger buffer for a socket of libsystemd"),
    ("gtuned_apply_t", "self", "process", {"getsched"}, "qemu-ga -D"),
    ("gtuned_apply_t", "sysctl_vm_t", "dir", {"search"}, "qemu-ga -D"),
)

DENIAL = re.compile(r"avc:  denied  \{ (.*?) \} for .*? scontext=\S+?:\S+?:(\S+?):\S+ tcontext=\S+?:\S+?:(\S+?):\S+ "
                    r"tclass=(\S+)")


class Log:
    """The kernel's log, of which each line is read once."""

    def __init__(self, guest):
        self._guest, self._last = guest, -1

    def denials(self):
        """The new denials, as (source type, target type or "self", class, permissions, line)."""
        text = self._guest.shell("dd if=/dev/kmsg iflag=nonblock bs=8192 2>/dev/null")[1]
        for line in text.splitlines():
            head, _, words = line.partition(";")
            if not head[:1].isdigit() or head.count(",") < 3 or int(head.split(",")[1]) <= self._last:
                continue
            self._last = int(head.split(",")[1])
            match = DENIAL.search(words)
            if match:
                asked, source, target, group = match.groups()
                yield source, "self" if source == target else target, group, set(asked.split()), words


def is_ours(denial):
    """Whether a domain of gtuned asked, or somebody asked for something of gtuned's."""
    return denial[0].startswith("gtuned_") or denial[1].startswith("gtuned_")


def who_asks(denial):
    """Who is never audited for it where the dontaudit rules are not switched off, or None."""
    source, target, group, asked, _ = denial
    return next((row[4] for row in DONTAUDIT if row[0] in (None, source) and row[1] in (None, target)
                 and row[2] == group and asked <= row[3]), None)


def nothing_denied(guest, checks, log):
    """What was denied up to here is what is never audited, and nothing else."""
    denied = [denial for denial in log.denials() if is_ours(denial)]
    (guest.dir / "denials.log").write_text("".join(f"{denial[4]}\n" for denial in denied))
    bad = [denial for denial in denied if not who_asks(denial)]
    checks.ok("the kernel denied nothing of the main loop", not bad, "\n".join(sorted({d[4] for d in bad})))
    harmless = collections.Counter(who_asks(denial) for denial in denied if who_asks(denial))
    checks.note(f"{len(bad)} denials; never audited elsewhere: " +
                ", ".join(f"{count} × {who}" for who, count in sorted(harmless.items())))


# TuneD as far as gtuned looks at it: it is enabled, and has a profile.
TUNED = {
    "etc/tuned/active_profile": "e2e\n",
    "usr/lib/tuned/e2e/tuned.conf": "[main]\nsummary = nothing\n",
    "usr/lib/systemd/system/tuned.service": "[Unit]\nConditionPathExists=!/\n\n[Service]\nExecStart=/usr/bin/true\n",
}


def install_tuned(root):
    """What stands for an installed TuneD, which itself never runs."""
    for path, text in TUNED.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "tuned.service").symlink_to("/usr/lib/systemd/system/tuned.service")


def bake(module, root):
    """The policies, files that an administrator made, and the programs of this test."""
    selinux_tree.install_module(root, module)
    install_tuned(root)
    for path in (root / "etc/gtuned/gtuned.conf.d").glob("*.conf"):
        path.unlink()
    target = root / IMAGE_POLICY.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(POLICY)
    (root / DEFAULT_GRUB.lstrip("/")).write_text('GRUB_CMDLINE_LINUX="quiet"\n')
    (root / DEFAULT_GRUB_DROP_IN.lstrip("/")).parent.mkdir(exist_ok=True)
    (root / DEFAULT_GRUB_DROP_IN.lstrip("/")).write_text('GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    image.compile_static("deeds.c", root / DEEDS.lstrip("/"))
    for domain in DOMAINS:
        (root / f"{DEEDS}-{domain}".lstrip("/")).write_bytes((root / DEEDS.lstrip("/")).read_bytes())
        (root / f"{DEEDS}-{domain}".lstrip("/")).chmod(0o755)
    (root / CLOUD_INIT.lstrip("/")).write_text(
        f"#!/bin/sh -e\nprintf '[haltpoll]\\nguest_halt_poll_grow = 3\\n' > {CLOUD_INITS}\ngtune reboot-needed\n")
    (root / CLOUD_INIT.lstrip("/")).chmod(0o755)
    selinux_tree.label(root)
    for domain in DOMAINS:
        selinux_tree.set_label(root / f"{DEEDS}-{domain}".lstrip("/"), "system_u", f"{domain[:-2]}_exec_t")
    selinux_tree.set_label(root / CLOUD_INIT.lstrip("/"), "system_u", "cloud_init_exec_t")
    selinux_tree.set_label(root / DEFAULT_GRUB_DROP_IN.lstrip("/"), "unconfined_u", "bootloader_etc_t")


def build(environment):
    """The guest: Debian's policy and our module, with a policy of gtuned that accepts the host's."""
    module = selinux_tree.make_module(environment.cache, environment.work / "module")
    return image.build(environment.cache, environment.work / "image", environment.tree, UNITS, selinux_tree.CMDLINE,
                       extra=selinux_tree.PACKAGES, bake=lambda root: bake(module, root),
                       root_mib=selinux_tree.ROOT_MIB)


def label(guest, path):
    """User and type of a file."""
    words = guest.check(f"stat -c %C {path}").strip().split(":")
    return words[0], words[2]


def as_administrator(guest, command):
    """Runs a command as a login of root does; the test shell itself has the domain of a service."""
    return guest.shell(f"runcon {UNCONFINED} sh -c '{command}'", timeout=180)


def booted(guest, checks):
    """What the boot unit did, with a policy of the host and with a file that an administrator had made."""
    checks.equal("the boot ends in a running system", guest.boot(), "running")
    checks.note(f"booted in {guest.boot_seconds:.0f} s")
    checks.equal("the kernel enforces", guest.read_file("/sys/fs/selinux/enforce"), b"1")
    pid = guest.check("systemctl show -P MainPID gtuned.service").strip()
    checks.contains("the daemon has its domain", guest.read_file(f"/proc/{pid}/attr/current"), b":gtuned_t:")
    checks.equal("the credential was taken", guest.read_file(TAKEN), CREDENTIAL.encode())
    checks.equal("the tunable is that of the credential", guest.read_file(TUNABLE), b"300000\n")
    for path in (GRUB_CFG, DEFAULT_GRUB_DROP_IN):
        checks.contains(f"{path} has the token", guest.read_file(path), TOKEN)
    checks.equal("a file that an administrator made keeps its label", label(guest, DEFAULT_GRUB_DROP_IN),
                 ("unconfined_u", "bootloader_etc_t"))


def asked(guest, checks, environment):
    """What the host asks: status, plan, and by the other socket the TPM."""
    with guest.channel() as host:
        found = host.query("gtune-status")
        checks.equal("the host reads pending-reboot", practice(found)["state"], "pending-reboot")
        checks.equal("the host reads that its policy was taken", found["policy"]["credential"]["state"], "taken")
        checks.equal("the policy has no errors", found["policy"]["errors"], [])
        checks.equal("the plan is empty", host.query("gtune-plan", timeout=30)["changes"], [])
        checks.ok("the host reads PCRs", host.query("gtune-pcrs", {"bank": "sha256"}, timeout=30))
        checks.ok("the host reads the event log", host.query("gtune-eventlog", {"offset": 0}, timeout=30))
    done = gtune_host(environment, "quote", "--name", "vm", "--keys", guest.dir / "keys", guest.sockets["gtuned"])
    checks.ok("the host verifies a quote", done.returncode in (0, 4), f"{done.returncode}: {done.stdout}{done.stderr}")
    status, out = asked_by_host(guest, environment)
    checks.ok("gtune-host status agrees", status == 4 and "pending-reboot" in out, f"{status}: {out}")


def applied_by_host(host, tries=6):
    """What the request comes to. On a busy machine the guest may take longer to start a unit than gtuned waits."""
    for _ in range(tries - 1):
        try:
            return host.ask("gtune-apply", timeout=30)
        except RemoteError as error:
            if "did not answer" not in str(error):
                raise
            time.sleep(11)  # twice within 10 s is refused
    return host.ask("gtune-apply", timeout=30)


def watched(guest, checks):
    """A drift is seen as an event, and the host mends it by the request socket and the boot unit."""
    with guest.channel() as host:
        checks.equal("watch begins with the report", practice(host.watch(30))["state"], "pending-reboot")
        guest.check(f"echo 123456 > {TUNABLE}")
        checks.ok("a host that watches sees the drift", wait_state(host, "drifted") is not None)
        checks.equal("the host may apply", applied_by_host(host), {"started": True})
        checks.ok("and sees it mended", wait_state(host, "pending-reboot") is not None)
    checks.equal("the tunable is mended", guest.read_file(TUNABLE), b"300000\n")
    guest.check("systemctl reload gtuned.service")


def administered(guest, checks):
    """An administrator closes a command of qemu-ga, and a gtune below qemu-ga has the unit change the same file."""
    as_administrator(guest, f'printf "[qga-policy]\\nblock = power\\n" > {ADMINISTRATORS}')
    status, out, err = as_administrator(guest, "gtune apply")
    checks.ok("an administrator applies", status == 4, f"{status}: {out}{err}")
    checks.equal("the drop-in has the type of those of the unit", label(guest, DROP_IN)[1], "gtuned_drop_in_t")
    checks.equal("qemu-ga has closed it", disabled(guest), {"guest-shutdown", "guest-suspend-disk",
                                                            "guest-suspend-ram", "guest-suspend-hybrid"})
    for verb, wanted in (("status", 4), ("plan", 4), ("pcr", 0), ("eventlog", 0)):
        status, out, err = as_administrator(guest, f"gtune {verb}")
        checks.ok(f"an administrator's gtune {verb}", status == wanted and out, f"{status}: {err}")
    as_administrator(guest, f'printf "[qga-policy]\\nblock = time\\n" > {ADMINISTRATORS}')
    pid = call(guest, "guest-exec", {"path": "/usr/bin/gtune", "arg": ["apply"], "capture-output": True})
    checks.contains("gtune is started by guest-exec", pid, "pid")
    checks.ok("the unit has replaced the administrator's drop-in", wait_for(
        lambda: disabled(guest) == {"guest-set-time"}, 180), repr(disabled(guest)))
    checks.ok("the host reads that it is active", wait_for(
        lambda: state(guest) == ("active", None)), repr(state(guest)))
    checks.ok("the unit has ended", wait_for(
        lambda: guest.shell("systemctl is-active gtuned-apply.service")[1].strip() == "inactive", 180))


def initialized(guest, checks):
    """cloud-init writes a policy and asks for the need of a reboot."""
    checks.equal("cloud-init's domain writes a policy and asks gtune", guest.shell(
        f"systemd-run --quiet --wait {CLOUD_INIT}", timeout=180)[0], 0)
    checks.equal("the apply unit has applied it", guest.shell(
        "systemctl start gtuned-apply.service", timeout=180)[0], 0)
    checks.equal("which sets another tunable",
                 guest.read_file("/sys/module/haltpoll/parameters/guest_halt_poll_grow"), b"3\n")


def reverted(guest, checks):
    """All is taken back by an administrator."""
    status, out, err = as_administrator(guest, "gtune revert")
    checks.ok("revert", status in (0, 4), f"{status}: {out}{err}")
    checks.equal("grub.cfg is the original", guest.read_file(GRUB_CFG), original_grub_cfg(guest))
    checks.equal("the tunable is the kernel's", guest.read_file(TUNABLE), b"200000\n")
    checks.equal("the drop-in is gone", guest.shell(f"ls -d {DROP_IN}")[0], 2)


def forbidden(guest, checks, log):
    """Each domain tries what it must not do, as root with all capabilities and without the sandbox of its unit."""
    done = 0
    for domain, deeds in FORBIDDEN.items():
        words = " ".join(f"{verb} {path}" for verb, path in deeds)
        # One who may do all of this shows that each deed can be done.
        status = as_administrator(guest, f"{DEEDS} allowed {words}")[0]
        checks.ok(f"an administrator can do what {domain} must not", status == 0, f"deed {status} of {words}")
        list(log.denials())
        status = guest.shell(f"systemd-run --quiet --wait {DEEDS}-{domain} denied {words}", timeout=180)[0]
        checks.ok(f"{domain} is denied {len(deeds)} forbidden deeds", status == 0, f"deed {status} of {words}")
        named = [denial for denial in log.denials() if denial[0] == domain]
        checks.ok(f"{domain}: the log of the policy has a denial of each", len(named) >= len(deeds),
                  f"{len(named)} for {len(deeds)} deeds")
        done += len(deeds)
    checks.note(f"{done} forbidden deeds in {len(FORBIDDEN)} domains were denied by the policy")


@test("enforcing", needs_tree=True, boots=3)
def enforcing(environment, checks):
    """One boot, enforcing from the first instruction of user space, with each dontaudit rule switched off."""
    began = time.monotonic()
    disk = build(environment)
    checks.note(f"image: {time.monotonic() - began:.0f} s")
    with OfferedGuest(disk, "enforcing", environment.work, as_binary(CREDENTIAL), tpm=True, memory=1536) as guest:
        log = Log(guest)
        booted(guest, checks)
        with checks.guard("asked"):
            asked(guest, checks, environment)
        for case in (watched, administered, initialized, reverted):
            began = time.monotonic()
            with checks.guard(case.__name__):
                case(guest, checks)
            checks.note(f"{case.__name__}: {time.monotonic() - began:.0f} s")
        nothing_denied(guest, checks, log)
        forbidden(guest, checks, log)
