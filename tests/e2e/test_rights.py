# SPDX-License-Identifier: Apache-2.0
"""What the daemon and the host can do to a guest, tried from inside the daemon's own unit."""

import subprocess
import time

from channel import RemoteError
from checks import test
from qemu import Guest
from test_main import GRUB_CFG, TUNABLE

CONNECT_C = r"""
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        char text[4096];
        ssize_t n;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        if (argc < 2 || fd < 0)
                return 2;
        strncpy(a.sun_path, argv[1], sizeof(a.sun_path) - 1);
        if (connect(fd, (struct sockaddr *) &a, sizeof(a)) < 0) {
                perror(argv[1]);
                return 1;
        }
        while ((n = read(fd, text, sizeof(text))) > 0)
                fwrite(text, 1, (size_t) n, stdout);
        return 0;
}
"""

# What is tried inside the unit, and what must come out of it.
FORBIDDEN = (
    ("write to /etc", "echo x > /etc/gtuned/x"),
    ("write to /boot", f"echo x >> {GRUB_CFG}"),
    ("write to /sys", f"echo 1 > {TUNABLE}"),
    ("write its own state", "echo x > /var/lib/gtuned/x"),
    ("read /etc/shadow", "cat /etc/shadow"),
    ("read what root keeps", "cat /root/secret"),
    ("read another process's environ", "cat /proc/1/environ"),
    ("see another process's descriptors", "ls -l /proc/1/fd/"),
    ("open a disk", "head -c1 /dev/nvme0n1"),
    ("mount", "mount -t tmpfs none /run"),
)
ALLOWED = (
    ("read grub.cfg", f"head -c1 {GRUB_CFG}"),
    ("read a tunable", f"cat {TUNABLE}"),
    ("read the ledger", "head -c1 /var/lib/gtuned/ledger.json"),
    ("read what lies beside the kernel's modules", "head -c1 /usr/lib/modules/*/modules.builtin"),
    ("read its port's name", "ls /dev/virtio-ports/org.gtuned.agent.0"),
)


def make_probe_unit(guest):
    """The daemon's own unit with another program in it."""
    text = guest.check("cat /usr/lib/systemd/system/gtuned.service")
    dropped = ("ExecStart=", "BindsTo=", "After=", "Restart", "Type=", "ExecReload=")
    lines = [line for line in text.splitlines() if not line.startswith(dropped)]
    lines.insert(lines.index("[Service]") + 1, 'Type=oneshot\nExecStart=/usr/bin/sh -c "${PROBE}"')
    lines.insert(lines.index("[Service]") + 1, "EnvironmentFile=/run/gtuned/probe.env")
    guest.write_file("/run/systemd/system/gtuned-probe.service", "\n".join(lines) + "\n")
    guest.check("systemctl daemon-reload")


def probe(guest, command):
    """Runs a command as the daemon would; returns whether it succeeded."""
    guest.write_file("/run/gtuned/probe.env", f"PROBE={command}\n")
    return guest.shell("systemctl start gtuned-probe.service; s=$?; systemctl reset-failed gtuned-probe.service; exit $s")[0] == 0


def rights_of_the_daemon(guest, checks):
    """What it is, and what it can reach."""
    pid = guest.check("systemctl show -P MainPID gtuned.service").strip()
    checks.equal("the daemon runs as gtuned", guest.check(f"ps -o user= -p {pid}").strip(), "gtuned")
    make_probe_unit(guest)
    guest.write_file("/root/secret", "secret")
    for name, command in ALLOWED:
        checks.ok(f"inside the unit one can {name}", probe(guest, command))
    for name, command in FORBIDDEN:
        checks.ok(f"inside the unit one cannot {name}", not probe(guest, command))
    maps = guest.check(f"cat /proc/{pid}/maps")
    checks.ok("it maps no crypto library and no TPM library", "libcrypto" not in maps and "libtss2" not in maps)


def analyze(guest, checks):
    """systemd's own view of the units."""
    for unit, limit in (("gtuned.service", 2.0), ("gtuned-apply.service", 4.0), ("gtuned-soft-reboot.service", 4.0)):
        out = guest.check(f"systemd-analyze security --no-pager {unit}")
        last = out.strip().splitlines()[-1]
        checks.note(last)
        checks.ok(f"exposure of {unit} is at most {limit}", float(last.split(":")[1].split()[0]) <= limit, last)
    status, out, err = guest.shell("systemd-analyze verify --man=no gtuned.service gtuned-apply.service gtuned-request.socket "
                                   "gtuned-request@.service gtuned-soft-reboot.service")
    checks.ok("systemd-analyze verify accepts the units", status == 0, out + err)
    checks.note(f"systemd-analyze verify: {(out + err).strip() or 'no complaint'}")


def request_apply(guest):
    """gtune-apply by the host: what it returned, or the error's text."""
    with guest.channel() as host:
        try:
            return host.query("gtune-apply")
        except RemoteError as error:
            return str(error)


def allow(guest, word):
    """Sets allow_apply in the guest."""
    guest.check("mkdir -p /etc/gtuned/gtuned.conf.d")
    guest.write_file("/etc/gtuned/gtuned.conf.d/90-allow.conf", f"[channel]\nallow_apply = {word}\n")


def install_connect(guest, work):
    """A program that connects to a UNIX socket: the guest has none."""
    source, program = work / "connect.c", work / "connect"
    source.write_text(CONNECT_C)
    subprocess.run(["cc", "-static", "-o", program, source], check=True)
    guest.write_file("/usr/local/bin/connect", program.read_bytes())
    guest.check("chmod 755 /usr/local/bin/connect")


def refused(guest, checks):
    """allow_apply = no: the host hears so, and so does the journal, also when the daemon's user asks by hand."""
    guest.check(f"echo 222222 > {TUNABLE}")
    answer = request_apply(guest)
    checks.contains("gtune-apply is refused", str(answer), "allow_apply")
    by_hand = guest.shell("setpriv --reuid gtuned --regid gtuned --clear-groups connect /run/gtuned/request.sock")[1]
    checks.contains("also when user gtuned asks by hand", by_hand, '"result":"refused"')
    checks.ok("another user cannot even connect",
              guest.shell("setpriv --reuid nobody --regid nogroup --clear-groups connect /run/gtuned/request.sock")[0] != 0)
    journal = guest.check("journalctl --no-pager -o cat -u 'gtuned-request@*'")
    checks.ok("both refusals are in the journal", journal.count("allow_apply") >= 2, journal)
    checks.equal("nothing was changed", guest.read_file(TUNABLE), b"222222\n")


def ordinary_user(guest, checks):
    """Who is not root hears so first, and not what he may not look at."""
    for verb in ("apply", "revert"):
        status, _, errors = guest.shell(f"setpriv --reuid nobody --regid nogroup --clear-groups gtune {verb}")
        checks.equal(f"{verb} by an ordinary user: exit status", status, 1)
        checks.contains(f"{verb} by an ordinary user says what is wrong", errors, "as root")


def allowed(guest, checks):
    """allow_apply = yes: applied, and then rate-limited."""
    allow(guest, "yes")
    time.sleep(1)
    checks.equal("gtune-apply is started", request_apply(guest), {"started": True})
    deadline = time.monotonic() + 30
    while guest.read_file(TUNABLE) != b"400000\n" and time.monotonic() < deadline:
        time.sleep(0.5)
    checks.equal("it was applied", guest.read_file(TUNABLE), b"400000\n")
    checks.contains("a second one at once is limited", str(request_apply(guest)), "10 s")


@test("rights", needs_tree=True)
def rights(environment, checks):
    """One guest, after its first boot."""
    with Guest(environment.image, "rights", environment.work) as guest:
        guest.boot()
        install_connect(guest, environment.work)
        rights_of_the_daemon(guest, checks)
        analyze(guest, checks)
        refused(guest, checks)
        ordinary_user(guest, checks)
        allowed(guest, checks)
