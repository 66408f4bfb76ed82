# SPDX-License-Identifier: Apache-2.0
"""The first boot with a real cloud-init: the policy comes from user data, and a reboot only where it is needed."""

import functools
import json
import pathlib
import shlex
import threading
import time

import image
from checks import test
from qemu import Guest
from test_main import haltpoll, practice

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "packaging/cloud-init/user-data.example"
PACKAGES = ("gtuned", "gtuned-tpm", "gtuned-cloud-init")
POLICY = "/etc/gtuned/gtuned.conf.d/50-cloud.conf"
CLOUD_LOG = "/var/log/cloud-init.log"
# What this small guest has no programs for is switched off.
CLOUD_CFG = """\
datasource_list: [NoCloud, None]
preserve_hostname: true
resize_rootfs: false
locale: false
users: []
ssh_genkeytypes: []
"""
# Nothing of it needs a reboot.
NO_REBOOT = """\
#cloud-config
write_files:
  - path: /etc/gtuned/gtuned.conf.d/50-cloud.conf
    content: |
      [qga-policy]
      block = exec
power_state:
  mode: reboot
  condition: [gtune, reboot-needed]
"""
# What a boot leaves for the next one to look at, because a boot that ends in a reboot cannot be asked any more.
KEEP = "/var/lib/e2e"
KEEP_UNIT = f"""\
[Unit]
Description=Keep what cloud-init said of this boot
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cat /proc/sys/kernel/random/boot_id >> {KEEP}/boots'
ExecStop=/bin/sh -c 'cp -L /var/lib/cloud/data/status.json {KEEP}/status.json; journalctl -b > {KEEP}/journal'
[Install]
WantedBy=multi-user.target
"""
PATIENCE = 60

_image_lock = threading.Lock()


# The image and its guest

def packages(rpms, names=PACKAGES):
    """The files of the packages, by their names."""
    wanted = {path for path in rpms for name in names if path.name.startswith(f"{name}-") and
              path.name[len(name) + 1].isdigit()}
    return sorted(wanted)


def prepare(root):
    """What an image builder does for cloud-init, and the unit that keeps what this test looks at."""
    (root / "etc/cloud/cloud.cfg.d/90-e2e.cfg").write_text(CLOUD_CFG)
    (root / KEEP.lstrip("/")).mkdir()
    (root / "etc/systemd/system/e2e-keep.service").write_text(KEEP_UNIT)
    image.run("systemctl", f"--root={root}", "enable", "e2e-keep.service")


@functools.cache
def _build(cache, work, rpms):
    return image.build(cache, work, rpms=packages(rpms), extra=image.CLOUD_INIT, bake=prepare,
                       cmdline=image.CMDLINE_PARTUUID)


def cloud_image(environment):
    """The image with cloud-init and gtuned's packages, built once for all tests of this file."""
    with _image_lock:
        return _build(environment.cache, environment.work.parent / "cloud-image", environment.rpms)


class CloudGuest(Guest):
    """A guest with a NoCloud disk."""

    def _machine_arguments(self):
        seed = f"file={self.dir}/seed.img,format=raw,if=none,id=seed,readonly=on"
        return [*super()._machine_arguments(), "-drive", seed, "-device", "nvme-ns,drive=seed,nsid=2"]

    def seed(self, instance, user_data):
        """Writes the disk that the next boot reads."""
        disk = self.dir / "seed.img"
        disk.unlink(missing_ok=True)
        image.run("mkfs.vfat", "-C", "-n", "CIDATA", disk, 2048)
        for name, text in (("meta-data", f"instance-id: {instance}\n"), ("user-data", user_data)):
            (self.dir / name).write_text(text)
            image.run("mcopy", "-i", disk, self.dir / name, f"::/{name}")

    def wait_reboot(self, seconds=300):
        """Waits until the guest reboots by itself, which ends QEMU; returns the reason that QEMU gives."""
        self.qmp("query-status")
        self._wait_for(lambda: not self.running(), seconds, f"it does not reboot within {seconds} s")
        reason = self._control().wait_event("SHUTDOWN")["data"]["reason"]
        self.kill()
        return reason


# What is looked at

def check_stages(status, checks, boot):
    """Every stage has come to its end, without an error of either kind."""
    stages = status["v1"]
    for name in ("init-local", "init", "modules-config", "modules-final"):
        stage = stages[name]
        checks.ok(f"{boot}: {name} is done", stage["finished"], f"{stage}")
        checks.equal(f"{boot}: {name} has no errors", (stage["errors"], stage["recoverable_errors"]), ([], {}))


def check_settled(guest, checks, boot, asked):
    """The boot has come to its end and goes on: cloud-init asked (or had asked before), and there is no reboot."""
    checks.equal(f"{boot}: ends in a running system", guest.wait_booted(), "running")
    status, out, _ = guest.shell("cloud-init status --wait --format json", timeout=120)
    found = json.loads(out)
    checks.equal(f"{boot}: cloud-init is done, without errors",
                 (status, found["status"], found["errors"], found["recoverable_errors"]), (0, "done", [], {}))
    check_stages(json.loads(guest.read_file("/var/lib/cloud/data/status.json")), checks, boot)
    said = "exited 1. condition not met" if asked else "power.state.change already ran"
    checks.ok(f"{boot}: cloud-init's log says {said!r}", log_has(guest, said))
    checks.equal(f"{boot}: reboot-needed says no", guest.shell("gtune reboot-needed")[0], 1)
    checks.equal(f"{boot}: no job to reboot", guest.shell("systemctl list-jobs --no-legend reboot.target")[1], "")


def log_has(guest, text):
    """Whether the log of this boot comes to have the text, which may be a moment after the stages are done."""
    command = f"until sed -n '/running .init-local. at/h;/running .init-local. at/!H;${{g;p}}' {CLOUD_LOG} | " \
              f"grep -q {shlex.quote(text)}; do sleep 1; done"
    return guest.shell(command, timeout=PATIENCE)[0] == 0


def check_rebooted(guest, checks, boot):
    """The boot ended with a reboot of its own, and every stage was done before it."""
    began = time.monotonic()
    guest.start()
    guest.wait_shell()
    checks.equal(f"{boot}: ends with a reboot", guest.wait_reboot(), "guest-reset")
    checks.note(f"{boot}: the reboot came after {time.monotonic() - began:.1f} s")


def check_before(guest, checks, boot):
    """What the boot before this one has left, which ended in a reboot."""
    check_stages(json.loads(guest.read_file(f"{KEEP}/status.json")), checks, boot)
    journal = guest.read_file(f"{KEEP}/journal").decode(errors="replace")
    checks.ok(f"{boot}: no ordering cycle", "ordering cycle" not in journal)
    steps = ("Finished cloud-config.service", "Starting gtuned-cloud-init.service",
             "Finished gtuned-cloud-init.service", "Starting cloud-final.service")
    places = [journal.find(step) for step in steps]
    checks.ok(f"{boot}: apply ran after cloud-config and before cloud-final",
              places[0] >= 0 and places == sorted(places), f"{list(zip(steps, places))}")


def boots(guest):
    """How many boots the guest has seen."""
    return len(guest.read_file(f"{KEEP}/boots").split())


def check_active(guest, checks, boot, count):
    """The policy is in effect, and the guest has seen no boot that this test did not see."""
    found = haltpoll(guest)
    checks.equal(f"{boot}: the host reads active", (found["state"], found["reason"]), ("active", None))
    checks.contains(f"{boot}: the tunable is that of the user data", found["settings"],
                    {"name": "guest_halt_poll_ns", "wanted": "400000", "actual": "400000"})
    checks.equal(f"{boot}: boots until now", boots(guest), count)
    checks.note(f"{boot}: {guest.boot_seconds:.1f} s")


def service_section(guest, name):
    """The lines of a unit that say what it may do."""
    text = guest.read_file(f"/usr/lib/systemd/system/{name}.service").decode()
    lines = text[text.index("[Service]"):text.index("[Install]")].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


# The tests

def first_boots(guest, checks, example):
    """A new guest: one reboot, then active, and no reboot in the boot after that."""
    guest.seed("i-1", example)
    check_rebooted(guest, checks, "boot 1")
    guest.start()
    check_settled(guest, checks, "boot 2", asked=False)
    check_before(guest, checks, "boot 1")
    check_active(guest, checks, "boot 2", 2)
    mine, its = (service_section(guest, name) for name in ("gtuned-cloud-init", "gtuned-apply"))
    checks.equal("the unit has the rights of gtuned-apply.service", mine, its)
    checks.equal("systemd-analyze verify has nothing to say",
                 guest.shell("systemd-analyze verify --man=no gtuned-cloud-init.service"), (0, "", ""))
    guest.shutdown("reboot")
    guest.start()
    check_settled(guest, checks, "boot 3", asked=False)
    check_active(guest, checks, "boot 3", 3)


def tuned_copy(guest, checks, example):
    """The disk boots as a new instance: it is tuned already, so that nobody reboots it."""
    guest.shutdown()
    guest.seed("i-2", example)
    guest.start()
    check_settled(guest, checks, "boot 4, a new instance", asked=True)
    check_active(guest, checks, "boot 4, a new instance", 4)


def untuned_copy(guest, checks, example):
    """The tokens are taken back before the disk is captured: the new instance reboots once."""
    checks.equal("capture: revert says that a reboot is pending", guest.shell("gtune revert")[0], 4)
    guest.check(f"rm {POLICY} /var/lib/gtuned/ledger.json && cloud-init clean --logs", timeout=120)
    guest.shutdown()
    guest.seed("i-3", example)
    check_rebooted(guest, checks, "boot 5, a new instance of an untuned image")
    guest.start()
    check_settled(guest, checks, "boot 6", asked=False)
    check_before(guest, checks, "boot 5")
    check_active(guest, checks, "boot 6", 6)


def has_packages(environment, checks):
    if environment.rpms:
        return True
    checks.skip("all of it", "no --rpms was given, so there is nothing to install")
    return False


@test("cloud-init", boots=6)
def cloud_init(environment, checks):
    """Three instances on one disk, over six boots."""
    if not has_packages(environment, checks):
        return
    example = EXAMPLE.read_text()
    with CloudGuest(cloud_image(environment), "cloud", environment.work) as guest:
        first_boots(guest, checks, example)
        tuned_copy(guest, checks, example)
        untuned_copy(guest, checks, example)


@test("cloud-init-no-reboot")
def cloud_init_no_reboot(environment, checks):
    """A policy that is in effect at once."""
    if not has_packages(environment, checks):
        return
    with CloudGuest(cloud_image(environment), "cloud-now", environment.work) as guest:
        guest.seed("i-1", NO_REBOOT)
        guest.start()
        check_settled(guest, checks, "boot 1", asked=True)
        with guest.channel() as host:
            found = practice(host.query("gtune-status"), "qga-policy")
        checks.equal("the host reads active", found["state"], "active")
        checks.equal("one boot", boots(guest), 1)
