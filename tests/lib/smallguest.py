# SPDX-License-Identifier: Apache-2.0
"""Small guests: a kernel of Debian, an initramfs made here and a few disks, under QEMU's TCG.

Such a guest boots in three seconds. What it does is a shell script of the test; what it says comes over its serial
console. Nothing is mounted and no foreign program runs on the machine of the tests.
"""

import hashlib
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "e2e"))

from image import KEYRING, SUITE, ImageError, apt_options, cached, mirror, run  # noqa: E402 (found by that)

TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# What every such guest needs: a shell with its tools as one static program, and the libraries of gtune.
GUEST_PACKAGES = (
    "busybox-static", "libc6", "libgcc-s1", "libjson-c5", "libsystemd0", "libudev1", "libcap2", "libinih1",
    "libssl3t64", "libzstd1", "zlib1g",
)
# How the packages are called that a kernel is made of: the first is in every Debian, the others are of Debian 14.
KERNEL_PARTS = ("linux-image-", "linux-binary-", "linux-modules-", "linux-base-")
_switched_on = set()


class SmallGuestError(Exception):
    """The guest cannot be made, or did not do what every guest must do."""


# Packages

def _kernel_packages(options, name):
    """The packages of the kernel that the one without a version depends on. Since Debian 14 there are several."""
    found, unseen = [], [name]
    while unseen:
        for line in run("apt-cache", *options, "depends", unseen.pop()).decode().splitlines():
            kind, _, package = line.strip().partition(": ")
            if kind.endswith("Depends") and package.startswith(KERNEL_PARTS) and package not in found:
                found.append(package)
                unseen.append(package)
    if not any(package.startswith(KERNEL_PARTS[0]) for package in found):
        raise SmallGuestError(f"{name} does not say which kernel it stands for")
    return found


def bring_to_boot(tree):
    """Links kernels and configurations to where Debian's own script copies them (linux-base: 00-legacy-boot)."""
    for kernel in sorted((tree / "usr/lib/modules").glob("*/vmlinuz")):
        (tree / "boot").mkdir(exist_ok=True)
        for name in ("vmlinuz", "config"):
            target = tree / f"boot/{name}-{kernel.parent.name}"
            if not target.exists():
                os.link(kernel.with_name(name), target)


def _download(directory, suite, architecture, kernel, names):
    """Fetches and unpacks packages; no script of them runs, and this machine does not learn of them."""
    apt = directory / "apt"
    options = [*apt_options(apt, f"deb [signed-by={KEYRING}] {mirror()} {suite} main"),
               "-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures::={architecture}",
               "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=root"]
    run("apt-get", *options, "update", "-qq")
    kernels = _kernel_packages(options, kernel) if kernel else []
    run("env", "-C", apt, "apt-get", *options, "download", "-qq", *names, *kernels)
    for package in apt.glob("*.deb"):
        run("dpkg-deb", "-x", package, directory)
    shutil.rmtree(apt)
    bring_to_boot(directory)
    # Where a linker script and the program interpreter are looked for.
    for name in ("lib", "lib64"):
        if (directory / "usr" / name).is_dir() and not (directory / name).exists():
            (directory / name).symlink_to(f"usr/{name}")


def _cached(cache, suite, architecture, kernel, names):
    """A tree of unpacked packages in the cache directory, fetched if it is not there yet."""
    key = hashlib.sha256("\n".join((suite, architecture, kernel, *names)).encode()).hexdigest()[:16]
    return cached(pathlib.Path(cache) / f"packages-{architecture}-{key}",
                  lambda directory: _download(directory, suite, architecture, kernel, names))


def packages(cache, architecture, more=(), suite=SUITE):
    """What a guest is made of, as a tree of unpacked packages.

    architecture is Debian's word for it; the kernel is that of its cloud images. Dependencies are not followed: more
    has all that is needed beside GUEST_PACKAGES.
    """
    return _cached(cache, suite, architecture, f"linux-image-cloud-{architecture}", (*GUEST_PACKAGES, *more))


def packages_of(cache, suite, architecture, names):
    """Packages of another Debian, unpacked, without those that they depend on."""
    return _cached(cache, suite, architecture, "", names)


def kernel_release(tree):
    """The release of the one kernel in a tree."""
    kernels = sorted((tree / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise SmallGuestError(f"one kernel was expected in {tree}/boot, found {[k.name for k in kernels]}")
    return kernels[0].name[len("vmlinuz-"):]


# The initramfs

def _needed(program):
    """The libraries and the interpreter that a program or a library names."""
    text = run("readelf", "-W", "-d", "-l", program).decode()
    interpreter = re.search(r"program interpreter: ([^\]]*)", text)
    return re.findall(r"\(NEEDED\).*\[([^\]]*)\]", text), interpreter and interpreter.group(1)


class Initramfs:
    """An archive of files for the kernel, made of a tree of unpacked packages."""

    def __init__(self, tree, architecture):
        self._tree, self._libraries = tree, f"usr/lib/{TRIPLETS[architecture]}"
        self._members = {}
        for name in ("lib", "lib64", "bin", "sbin"):
            self.link(name, f"usr/{name}")
        for name in ("proc", "sys", "dev", "run", "tmp", "usr/lib64", "usr/sbin", "var/lib"):
            self.directory(name)

    def directory(self, path):
        """Adds a directory and those above it."""
        if path and path not in self._members:
            self.directory(os.path.dirname(path))
            self._members[path] = (0o40755, b"")

    def link(self, path, target):
        """Adds a symbolic link."""
        self.directory(os.path.dirname(path))
        self._members[path] = (0o120777, target.encode())

    def add(self, path, data, mode=0o644):
        """Adds a file: bytes or text."""
        self.directory(os.path.dirname(path))
        self._members[path] = (0o100000 | mode, data.encode() if isinstance(data, str) else data)

    def add_program(self, path, source=None):
        """Adds a program of the tree, or another one, and all libraries that it needs."""
        source = source or self._tree / path
        self.add(path, pathlib.Path(source).read_bytes(), 0o755)
        libraries, interpreter = _needed(source)
        if interpreter:
            self.add(f"usr{interpreter}", (self._tree / f"usr{interpreter}").read_bytes(), 0o755)
        for name in libraries:
            library = f"{self._libraries}/{name}"
            if library in self._members or name.startswith("ld-linux"):
                continue
            if not (self._tree / library).exists():
                raise SmallGuestError(f"{source} needs {name}, which {self._tree} does not have")
            self.add_program(library)

    def add_guest(self, gtune, test, policy, modules):
        """Adds a shell, gtune, its policy, and what is done with it: a script that small-init runs."""
        self.add_program("usr/bin/busybox")
        self.link("usr/bin/sh", "busybox")
        self.add_program("usr/bin/gtune", gtune)
        self.add("init", (HERE / "small-init").read_bytes(), 0o755)
        self.add("test", test.read_bytes())
        self.add("etc/gtuned/gtuned.conf", policy)
        self.directory("var/lib/gtuned")
        self.add_modules(modules)

    def add_modules(self, names):
        """Adds kernel modules and those that they depend on below /modules, in the order to load them."""
        directory = self._tree / "usr/lib/modules" / kernel_release(self._tree)
        files = {path.name.split(".ko")[0].replace("-", "_"): path for path in directory.rglob("*.ko.xz")}
        done = []

        def add(name):
            if name in done or not name:
                return
            if name not in files:
                raise SmallGuestError(f"{directory} has no module {name}: this kernel cannot be used")
            data = lzma.decompress(files[name].read_bytes())
            for other in re.search(rb"\0depends=([^\0]*)\0", data).group(1).decode().split(","):
                add(other.replace("-", "_"))
            self.add(f"modules/{len(done):02}-{name}.ko", data)
            done.append(name)

        for name in names:
            add(name)

    def pack(self, target):
        """Writes the archive in the kernel's format (Documentation/driver-api/early-userspace/buffer-format.rst)."""
        with open(target, "wb") as file:
            for number, (path, (mode, data)) in enumerate([*self._members.items(), ("TRAILER!!!", (0, b""))], start=1):
                name = path.encode() + b"\0"
                fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
                head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
                file.write(head.ljust(len(head) + -len(head) % 4, b"\0"))
                file.write(data.ljust(len(data) + -len(data) % 4, b"\0"))
        return target


# The guest

def blank(path, mib):
    """An empty, sparse disk."""
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    return path


def state_disk(path):
    """A disk of 8 MiB with an ext4, for what has to outlive a boot: the guest mounts it at /var/lib/gtuned."""
    run("mke2fs", "-q", "-t", "ext4", blank(path, 8))
    return path


def drives(*paths):
    """QEMU's arguments for disks: /dev/vda, /dev/vdb and so on. What the guest has written survives QEMU's end."""
    for number, path in enumerate(paths):
        yield from ("-drive", f"file={path},format=raw,if=none,id=disk{number},cache=writeback", "-device",
                    f"virtio-blk-pci,drive=disk{number}")


class SmallGuest:
    """One boot of a guest: a QEMU and its console."""

    def __init__(self, console, *command, environment=None):
        self.console = pathlib.Path(console)
        self.console.write_bytes(b"")
        common = ("-nodefaults", "-nic", "none", "-display", "none", "-no-reboot", "-chardev",
                  f"file,id=console,path={console}", "-serial", "chardev:console")
        with open(f"{console}.qemu", "wb") as errors:
            self._process = subprocess.Popen(
                [str(word) for word in (*command, *common)], stdout=subprocess.DEVNULL, stderr=errors,
                stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        _switched_on.add(self._process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def said(self):
        """What the guest has said until now."""
        return self.console.read_bytes().replace(b"\r", b"").decode(errors="replace")

    def failure(self, text):
        """An error with what was last seen of the guest."""
        qemu = pathlib.Path(f"{self.console}.qemu").read_text(errors="replace")
        return SmallGuestError(f"{text}\n{qemu}--- end of {self.console} ---\n{self.said()[-3000:]}")

    def wait_for(self, words, seconds):
        """Waits until the guest has said these words."""
        deadline = time.monotonic() + seconds
        while words not in self.said():
            if self._process.poll() is not None:
                raise self.failure(f"the guest went off without having said {words!r}")
            if time.monotonic() > deadline:
                raise self.failure(f"the guest did not say {words!r} within {seconds} s")
            time.sleep(0.01)

    def wait_off(self, seconds):
        """Waits until the guest has switched itself off, and returns all that it said."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"the guest did not go down within {seconds} s") from None
        _switched_on.discard(self._process)
        return self.said()

    def kill(self):
        """Pulls the plug."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        _switched_on.discard(self._process)


def kill_all():
    """Pulls the plug of every guest, for a test run that is interrupted."""
    for process in list(_switched_on):
        process.kill()


def section(said, name):
    """What the guest said between the lines "BEGIN name" and "END name status", and the status."""
    found = re.search(rf"^BEGIN {re.escape(name)}\n(.*?)^END {re.escape(name)} (\d+)$", said, re.DOTALL | re.MULTILINE)
    if not found:
        raise SmallGuestError(f"the guest did not get through {name!r}:\n{said[-3000:]}")
    return found.group(1), int(found.group(2))


# The report

class Report:
    """Counts what passed and what failed, and says so."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, why):
        """One check: why is what went wrong, or nothing."""
        print(f"not ok - {name}: {why}" if why else f"ok - {name}", flush=True)
        self.passed += not why
        self.failed += bool(why)

    def skip(self, name, why):
        """A check that cannot be made here."""
        print(f"skip - {name}: {why}", flush=True)
        self.skipped += 1

    def finish(self):
        """The last line, and the exit status."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0
