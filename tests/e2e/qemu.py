# SPDX-License-Identifier: Apache-2.0
"""Real guests under QEMU's TCG, on a machine without KVM."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from channel import Channel
from image import run

QEMU = "qemu-system-x86_64"
QEMU_DATA = ("/usr/share/qemu", "/usr/share/seabios")
QEMU_MODULES = "/usr/lib/x86_64-linux-gnu/qemu"
# The hypervisor signature as QEMU's code loads it, a register at a time, and what KVM would say.
SIGNATURE = ((b"TCGT", b"KVMK"), (b"CGTC", b"VMKV"), (b"GTCG", b"M\0\0\0"))
SIGNATURE_SPAN = 64
# The ports of a guest: what a test calls it, and what the guest calls it.
PORTS = {
    "gtuned": "org.gtuned.agent.0",
    "qga": "org.qemu.guest_agent.0",
    "shell": "org.gtuned.e2e-shell.0",
    "echo": "org.gtuned.echo.0",
}
BOOT_SECONDS = 300
SHUTDOWN_SECONDS = 90
STATUS_TIMEOUT = 256

_copy_lock = threading.Lock()
_switched_on = set()


class GuestError(Exception):
    """The guest did not do what every guest must do."""


# QEMU with KVM's signature

def _signature_places(binary):
    """The offsets of the signature's three parts, for each place that has them close together."""
    first = SIGNATURE[0][0]
    for found in re.finditer(re.escape(first), binary):
        near = [binary.find(part, found.start(), found.start() + SIGNATURE_SPAN) for part, _ in SIGNATURE]
        if -1 not in near:
            yield near


def patch_signature(binary):
    """QEMU's program with TCG's hypervisor signature replaced by KVM's.

    Without KVM's signature kvm_para_available() is false and the guest's haltpoll driver stays out.
    """
    places = list(_signature_places(binary))
    if len(places) != 1:
        raise GuestError(f"{QEMU}: the signature TCGTCGTCGTCG was found {len(places)} times instead of once; "
                         "this QEMU cannot be made to look like KVM")
    patched = bytearray(binary)
    for offset, (_, new) in zip(places[0], SIGNATURE):
        patched[offset:offset + len(new)] = new
    return bytes(patched)


def qemu_copy(work):
    """Writes the patched copy of QEMU into the work directory (once) and returns its path."""
    program = shutil.which(QEMU)
    if not program:
        raise GuestError(f"{QEMU} is not installed")
    copy = pathlib.Path(work).resolve() / "qemu-kvm-signature"
    with _copy_lock:
        if not copy.exists():
            part = copy.with_suffix(".part")
            part.write_bytes(patch_signature(pathlib.Path(program).read_bytes()))
            part.chmod(0o755)
            part.rename(copy)
    return copy


def kill_all():
    """Pulls the plug of every guest, for a test run that is interrupted."""
    for process in list(_switched_on):
        process.kill()


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path, timeout=20.0):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")
        self.events = []
        self._read()
        self.execute("qmp_capabilities")

    def _read(self):
        line = self._lines.readline()
        if not line:
            raise GuestError("QEMU closed its control socket")
        return json.loads(line)

    def execute(self, command, **arguments):
        """Runs a command and returns what it returns; events on the way are kept in .events."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise GuestError(f"QMP {command}: {message['error']['desc']}")
            else:
                return message["return"]

    def wait_event(self, name):
        """Waits for the next event of that name."""
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            message = self._read()
            if "event" in message:
                self.events.append(message)

    def close(self):
        """Disconnects."""
        self._lines.close()
        self._socket.close()


class Shell:
    """The host's end of guest/shell.c."""

    def __init__(self, path):
        self._path = path
        self._socket = None
        self._buffer = b""
        self._number = 0
        self._lock = threading.Lock()

    def close(self):
        """Disconnects; the next command connects again."""
        if self._socket:
            self._socket.close()
        self._socket = None
        self._buffer = b""

    def _receive(self, deadline):
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self._socket.recv(1 << 20)
        if not data:
            raise GuestError("the guest's shell is gone: QEMU closed the port")
        self._buffer += data

    def _take(self, size, deadline):
        while len(self._buffer) < size:
            self._receive(deadline)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _take_until(self, mark, deadline):
        while mark not in self._buffer:
            self._receive(deadline)
        before, self._buffer = self._buffer.split(mark, 1)
        return before

    def _ping_once(self, deadline):
        nonce = os.urandom(8).hex().encode()
        self._socket.sendall(b"PING " + nonce + b"\n")
        self._take_until(b"PONG " + nonce + b"\n", deadline)

    def ping(self, seconds):
        """Connects if need be and waits until the guest's end answers. False if it does not."""
        with self._lock:
            return self._ping(time.monotonic() + seconds)

    def _ping(self, deadline):
        while time.monotonic() < deadline:
            try:
                if not self._socket:
                    self._socket = socket.socket(socket.AF_UNIX)
                    self._socket.connect(str(self._path))
                self._ping_once(min(deadline, time.monotonic() + 1))
                return True
            except socket.timeout:
                continue
            except OSError:
                self.close()
                time.sleep(0.1)
        return False

    def run(self, command, timeout, stdin):
        """Runs a command: (status, output, errors) as bytes."""
        with self._lock:
            if not self._socket and not self._ping(time.monotonic() + 20):
                raise GuestError("the guest's shell does not answer")
            self._number += 1
            self._socket.settimeout(timeout + 20)
            header = f"RUN {self._number} {timeout} {len(command)} {len(stdin)}\n".encode()
            try:
                self._socket.sendall(header + command + stdin)
                return self._result(time.monotonic() + timeout + 20)
            except OSError as error:
                self.close()
                raise GuestError(f"the guest's shell gave no answer to {command!r}: {error}") from error

    def _result(self, deadline):
        self._take_until(f"DONE {self._number} ".encode(), deadline)
        status, out, err = (int(word) for word in self._take_until(b"\n", deadline).split())
        return status, self._take(out, deadline), self._take(err, deadline)


class Guest:
    """A virtual machine on an overlay of an image.

    Its disk, firmware variables and TPM live as long as the object; start() and stop(), kill() or
    reboot() are its power switch. Each start is a new QEMU process, so a reboot is a cold one.
    """

    def __init__(self, image, name, work, tpm=False, memory=1024, cpus=2):
        self.image, self.name, self.tpm, self.memory, self.cpus = image, name, tpm, memory, cpus
        self.dir = pathlib.Path(work).resolve() / name
        self.dir.mkdir(parents=True)
        self._program = qemu_copy(work)
        # Not below self.dir: the name of a socket has 107 bytes at most.
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="gtuned-e2e-"))
        self.sockets = {port: self._sockets / f"{port}.sock" for port in PORTS}
        self.console = self.dir / "console.log"
        self._shell = Shell(self.sockets["shell"])
        self._process = self._swtpm = self._qmp = None
        self._boot = {"direct": False, "efi": True, "append": ""}
        self.boot_seconds = self._started = None
        self._make_disk()

    def _make_disk(self):
        self.disk = self.dir / "disk.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.image.disk, self.disk)
        shutil.copy(self.image.firmware.variables, self.dir / "vars.fd")
        (self.dir / "tpm").mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What QEMU is told

    def _machine_arguments(self):
        data = [word for directory in QEMU_DATA for word in ("-L", directory)]
        disk = f"file={self.disk},format=qcow2,if=none,id=disk"
        # -cx16: QEMU 7.2 leaves garbage in EFLAGS after cmpxchg16b, and 6.12 kernels die of it.
        # thread=single: with a thread per vCPU it may run the breakpoint of a code patch (static keys) that the
        # kernel has long taken back: "Oops: int3". It costs less CPU time, too, and two guests fit on two cores.
        return ["-name", self.name, *data, "-machine", "q35,sata=off", "-accel", "tcg,thread=single",
                "-cpu", "max,-cx16", "-m", self.memory, "-smp", self.cpus, "-nodefaults", "-nic", "none",
                "-display", "none", "-no-reboot", "-drive", disk, "-device", "nvme,drive=disk,serial=e2e"]

    def _socket_arguments(self):
        yield from ("-qmp", f"unix:{self._sockets}/qmp.sock,server=on,wait=off",
                    "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
                    "-device", "virtio-serial-pci,id=serial")
        for number, port in enumerate(PORTS, start=1):
            yield from ("-chardev", f"socket,id={port},path={self.sockets[port]},server=on,wait=off", "-device",
                        f"virtserialport,id={port}-port,bus=serial.0,nr={number},chardev={port},name={PORTS[port]}")

    def _boot_arguments(self):
        if self._boot["efi"]:
            yield from ("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={self.image.firmware.code}",
                        "-drive", f"if=pflash,unit=1,format=raw,file={self.dir}/vars.fd")
        if self._boot["direct"]:
            yield from ("-kernel", self.image.kernel, "-initrd", self.image.initrd,
                        "-append", f"{self.image.cmdline} {self._boot['append']}".strip())

    def _tpm_arguments(self):
        if self.tpm:
            yield from ("-chardev", f"socket,id=tpm,path={self._sockets}/tpm.sock",
                        "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm")

    # Power

    def _start_tpm(self):
        path = self._sockets / "tpm.sock"
        with open(self.dir / "swtpm.log", "ab") as log:
            self._swtpm = subprocess.Popen(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.dir}/tpm", "--ctrl",
                 f"type=unixio,path={path}", "--terminate"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._wait_for(path.exists, 10, "swtpm does not start")

    def _wait_for(self, condition, seconds, failure):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise self.failure(failure)
            time.sleep(0.02)

    def start(self, direct=False, efi=True, append=""):
        """Switches the guest on and returns at once.

        direct boots the image's kernel without the boot loader, so that grub.cfg is not read; append adds
        words to its command line; efi=False then leaves the firmware out as well.
        """
        self._boot = {"direct": direct, "efi": efi or not direct, "append": append}
        if self.tpm:
            self._start_tpm()
        arguments = (*self._machine_arguments(), *self._socket_arguments(), *self._boot_arguments(),
                     *self._tpm_arguments())
        self._started = time.monotonic()
        with open(self.dir / "qemu.log", "ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in (self._program, *arguments)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "QEMU_MODULE_DIR": QEMU_MODULES})
        _switched_on.add(self._process)
        self._wait_for(lambda: (self._sockets / "qmp.sock").exists() or not self.running(), 20, "QEMU does not start")

    def running(self):
        """Whether the guest is switched on."""
        return self._process is not None and self._process.poll() is None

    def boot(self, **how):
        """start() and wait_booted() in one."""
        self.start(**how)
        return self.wait_booted()

    def wait_shell(self, seconds=BOOT_SECONDS):
        """Waits until shell() can be used, which is early in the boot."""
        deadline = self._started + seconds
        while not self._shell.ping(1):
            if not self.running():
                raise self.failure("QEMU ended while the guest booted\n" + (self.dir / "qemu.log").read_text())
            if time.monotonic() > deadline:
                raise self.failure(f"no boot within {seconds} s")

    def wait_booted(self, seconds=BOOT_SECONDS):
        """Waits until systemd has started all it wants to start: its word for the state, such as "running"."""
        self.wait_shell(seconds)
        left = max(int(self._started + seconds - time.monotonic()), 1)
        _, state, _ = self.shell("systemctl is-system-running --wait", timeout=left)
        self.boot_seconds = time.monotonic() - self._started
        return state.strip()

    def _wait_off(self, seconds):
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"the guest did not go down within {seconds} s") from None
        self._cleanup()

    def _cleanup(self):
        """What is left of a QEMU that has ended."""
        self._shell.close()
        if self._qmp:
            self._qmp.close()
        if self._swtpm:
            self._swtpm.terminate()
            self._swtpm.wait()
        _switched_on.discard(self._process)
        self._process = self._swtpm = self._qmp = None
        for path in self._sockets.glob("*"):
            path.unlink(missing_ok=True)

    def reboot(self, **how):
        """Reboots from inside and waits for the new boot. Without arguments it boots as it did before."""
        self.shutdown("reboot")
        return self.boot(**(how or self._boot))

    def soft_reboot(self):
        """Starts user space anew, and waits until it has started all it wants to start; the kernel stays."""
        count = int(self.check("systemctl show -P SoftRebootsCount"))
        # The shell may end before it can answer.
        with contextlib.suppress(GuestError):
            self.shell("systemctl --no-block soft-reboot", timeout=10)
        self._started = time.monotonic()
        while True:
            self.wait_shell()
            with contextlib.suppress(GuestError):
                if self.check("systemctl show -P SoftRebootsCount", timeout=10).strip() == str(count + 1):
                    return self.wait_booted()
            if time.monotonic() > self._started + BOOT_SECONDS:
                raise self.failure(f"no soft reboot within {BOOT_SECONDS} s")
            time.sleep(0.2)

    def shutdown(self, verb="poweroff"):
        """Shuts the guest down in order, and waits until it is off."""
        with contextlib.suppress(GuestError):
            self.shell(f"systemctl --no-block {verb}", timeout=20)
        self._wait_off(SHUTDOWN_SECONDS)

    def kill(self):
        """Pulls the plug."""
        if self.running():
            self._process.send_signal(signal.SIGKILL)
        if self._process:
            self._process.wait()
            self._cleanup()

    def close(self):
        """Switches off and removes the sockets; the disk and the logs stay in the work directory."""
        self.kill()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def failure(self, text):
        """An error with what was last seen of the guest."""
        return GuestError(f"{self.name}: {text}\n--- end of {self.console} ---\n{self.console_tail()}")

    def console_tail(self, size=3000):
        """The end of the console log."""
        log = self.console.read_bytes() if self.console.exists() else b""
        return log[-size:].decode(errors="replace")

    # Inside

    def shell(self, command, timeout=60, stdin=b""):
        """Runs a command line as root: (status, output, errors), as text.

        The status is 128 + N after signal N, and STATUS_TIMEOUT if it was killed because its time was over.
        """
        status, out, err = self.shell_bytes(command, timeout, stdin)
        return status, out.decode(errors="replace"), err.decode(errors="replace")

    def shell_bytes(self, command, timeout=60, stdin=b""):
        """As shell(), with the output and the errors exactly as they were."""
        return self._shell.run(command.encode(), timeout, stdin)

    def check(self, command, timeout=60, stdin=b""):
        """Runs a command line that must succeed, and returns its output as text."""
        status, out, err = self.shell(command, timeout, stdin)
        if status != 0:
            raise GuestError(f"{self.name}: {command!r} ended with {status}: {err or out}")
        return out

    def read_file(self, path):
        """The bytes of a file in the guest."""
        status, data, err = self.shell_bytes("cat -- " + shlex.quote(path))
        if status != 0:
            raise GuestError(f"{self.name}: {path}: {err.decode(errors='replace').strip()}")
        return data

    def write_file(self, path, data):
        """Writes bytes into a file in the guest, and flushes it. Missing directories are made."""
        data = data.encode() if isinstance(data, str) else data
        self.check("mkdir -p $(dirname {0}) && cat > {0} && sync {0}".format(shlex.quote(path)), stdin=data)

    def boot_id(self):
        """The id of the running boot."""
        return self.read_file("/proc/sys/kernel/random/boot_id").decode().strip()

    # From outside

    def channel(self, port="gtuned", timeout=10.0):
        """A connection of a host to a port of the guest."""
        return Channel(self.sockets[port], timeout)

    def qmp(self, command, **arguments):
        """Runs a QMP command."""
        return self._control().execute(command, **arguments)

    def _control(self):
        if not self._qmp:
            self._qmp = Qmp(self._sockets / "qmp.sock")
        return self._qmp

    def unplug(self, port="gtuned"):
        """Takes a port out of the running guest."""
        self.qmp("device_del", id=f"{port}-port")
        self._control().wait_event("DEVICE_DELETED")

    def plug(self, port="gtuned"):
        """Puts a port that was taken out back in."""
        self.qmp("device_add", driver="virtserialport", id=f"{port}-port", bus="serial.0", chardev=port,
                 name=PORTS[port])
