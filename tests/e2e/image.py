# SPDX-License-Identifier: Apache-2.0
"""Builds the disk image that every test guest starts from.

Two steps. The *base* is what comes from Debian: a root file system as a tar and GRUB's modules. It
depends on nothing but the package list, and is kept in a cache directory. The *image* is a GPT disk
made of the base, the files in guest/ and the tree that the caller wants to test.

Nothing is mounted, and nothing outside the two directories is written.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
GRUB_PACKAGE = "grub-efi-amd64-bin"
PACKAGES = (
    "systemd-sysv", "udev", "dbus", "linux-image-cloud-amd64", "initramfs-tools", "kmod", "qemu-guest-agent",
    "procps", "strace", "tpm2-tools", "libtss2-rc0t64", "libtss2-tcti-device0t64", "libsystemd0", "libjson-c5", "libudev1", "libinih1", "libssl3t64", "zlib1g",
)
# What a program built for gtuned on the machine of the tests needs in the guest.
SONAMES = ("libjson-c.so.5", "libinih.so.1", "libcrypto.so.3", "libsystemd.so.0", "libudev.so.1", "libz.so.1")
# An older GRUB, which lies beside the other and is put in its place by the tests that want it.
OLD_SUITE, OLD_GRUB = "bookworm", "EFI/BOOT/grub-2.06.efi"
# A qemu-ga that does not start, where nothing runs it.
BROKEN_QGA = "usr/lib/e2e/broken-qga"
OLD_PACKAGES = (GRUB_PACKAGE,)
# What the tests of the first boot add to the base.
CLOUD_INIT = ("cloud-init", "iproute2")
GRUB_MODULES = (
    "part_gpt fat ext2 normal linux search search_label search_fs_uuid configfile echo test true sleep loadenv "
    "minicmd tpm all_video gzio efifwsetup reboot halt"
).split()
# Kept out of every boot. Under emulation each unit costs a third of a second, and a guest without a network
# and a login has no use for these.
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer systemd-tmpfiles-clean.timer "
    "getty-static.service getty@tty1.service serial-getty@ttyS0.service systemd-logind.service "
    "systemd-user-sessions.service systemd-ask-password-wall.path systemd-ask-password-console.path "
    "systemd-hwdb-update.service systemd-journal-catalog-update.service ldconfig.service systemd-firstboot.service "
    "systemd-pstore.service systemd-random-seed.service systemd-udev-load-credentials.service "
    "systemd-journal-flush.service kmod-static-nodes.service proc-sys-fs-binfmt_misc.automount dev-hugepages.mount "
    "dev-mqueue.mount sys-kernel-config.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount run-lock.mount "
    "modprobe@configfs.service modprobe@drm.service modprobe@fuse.service modprobe@efi_pstore.service"
).split()
MACHINE_ID = "6774756e65642d6532652d7465737473"
# The disk is NVMe and the root ext4: both are built into Debian's cloud kernel, so no driver waits in an initrd.
CMDLINE = "root=/dev/nvme0n1p2 ro console=ttyS0 panic=-1 quiet"
# For a guest with a second disk: the kernel scans them side by side, so that either can be the first.
ROOT_PARTUUID = "6774756e-6564-4532-8065-726f6f740000"
CMDLINE_PARTUUID = CMDLINE.replace("/dev/nvme0n1p2", f"PARTUUID={ROOT_PARTUUID}")
ROOT_MIB = 900
ESP_MIB = 48
GRUB_CFG = "EFI/openEuler/grub.cfg"

_base_lock = threading.RLock()  # a base is made of another one


@dataclasses.dataclass(frozen=True)
class Firmware:
    """UEFI for a guest: its program, and the variables that it begins with."""
    code: pathlib.Path
    variables: pathlib.Path


def _ovmf(directory):
    return Firmware(directory / "OVMF_CODE_4M.fd", directory / "OVMF_VARS_4M.fd")


@dataclasses.dataclass(frozen=True)
class Release:
    """A release of Debian; beside are the packages that lie beside the root of a guest, packages are those in it."""
    suite: str
    beside: tuple = (GRUB_PACKAGE,)
    packages: tuple = PACKAGES


STABLE = Release(SUITE)
# Its libraries have no suffix for the 64-bit time.
OLDEST = Release(OLD_SUITE, packages=tuple(name.removesuffix("t64") for name in PACKAGES))
# The newest of all that is measured at boot: its firmware, too.
NEWEST = Release("forky", (GRUB_PACKAGE, "ovmf-generic"), (*PACKAGES, *CLOUD_INIT, "systemd-tpm"))
FIRMWARE = _ovmf(pathlib.Path("/usr/share/OVMF"))


class ImageError(Exception):
    """The image cannot be built; the text says why."""


def run(*command, stdin=b""):
    """Runs a command and returns its standard output; a failure shows what it said."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=stdin,
                          check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[-4000:]
        raise ImageError(f"{command[0]} failed with status {done.returncode}:\n{said}")
    return done.stdout


# The base: what comes from Debian

def _mirror_uris(text):
    """All archive addresses in the text of an apt source, of either format."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", "", line.split("#")[0]).split()
        if words and words[0] == "deb":
            yield words[1]
        elif words and words[0] == "URIs:":
            yield from words[1:]


def mirror(apt=pathlib.Path("/etc/apt")):
    """The Debian archive that this machine itself installs from."""
    sources = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list")),
               *sorted((apt / "sources.list.d").glob("*.sources"))]
    for source in filter(pathlib.Path.is_file, sources):
        for uri in _mirror_uris(source.read_text()):
            if uri.rstrip("/").endswith("/debian"):
                return uri.rstrip("/")
    raise ImageError(f"no Debian archive is named in the sources below {apt}")


def check_valid_until():
    """Whether this machine takes lists of packages that are past their time, as a mirror may have."""
    text = subprocess.run(["apt-config", "shell", "value", "Acquire::Check-Valid-Until/b"], capture_output=True,
                          text=True, check=False).stdout
    return "false" if "false" in text else "true"


def _base_hooks(beside_dir, release):
    """The hooks of mmdebstrap: no real initrd, which nothing needs, and the packages beside the root."""
    no_initrd = ('mkdir -p "$1/etc/initramfs-tools/conf.d" && '
                 'printf "MODULES=list\\n" > "$1/etc/initramfs-tools/conf.d/e2e"')
    download = (f'cd "{beside_dir}" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download ' +
                " ".join(release.beside))
    return [f"--essential-hook={no_initrd}", f"--customize-hook={download}"]


def apt_options(directory, line):
    """Options for apt-get that let it know one archive and nothing of this machine's own."""
    (directory / "lists/partial").mkdir(parents=True)
    sources = directory / "sources.list"
    sources.write_text(line + "\n")
    return ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null",
            "-o", f"Dir::State::Lists={directory}/lists", "-o", "APT::Get::List-Cleanup=0"]


def _unpack_packages(directory):
    """Unpacks the packages that lie in a directory into it, and removes them."""
    for package in directory.glob("*.deb"):
        run("dpkg-deb", "-x", package, directory)
        package.unlink()


def fetch_packages(directory, suite, *packages):
    """Fetches packages of a release of Debian, without what they depend on, and unpacks them into a directory."""
    apt = directory / "apt"
    options = apt_options(apt, f"deb [signed-by={KEYRING}] {mirror()} {suite} main")
    run("apt-get", *options, "update", "-qq")
    run("env", "-C", directory, "apt-get", *options, "download", "-qq", *(f"{name}/{suite}" for name in packages))
    _unpack_packages(directory)
    shutil.rmtree(apt)


def cached(target, make):
    """A directory in the cache, which make(directory) fills beside its place if it is not there yet; returns it."""
    target = pathlib.Path(target).resolve()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    building = pathlib.Path(tempfile.mkdtemp(prefix="building-", dir=target.parent))
    try:
        building.chmod(0o755)
        make(building)
        os.rename(building, target)
    except OSError:
        if not target.is_dir():  # a test that runs beside this one was first
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _fetch_root(directory, release, packages, *options):
    """Makes a root file system of the packages."""
    sources = directory / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {release.suite} main\n")
    excludes = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    run("mmdebstrap", "--include=" + ",".join(packages), *excludes,
        f'--aptopt=Acquire::Check-Valid-Until "{check_valid_until()}"', *options, release.suite, directory / "root.tar",
        sources)


def _build_base(directory, release):
    """Fetches the root file system, and what lies beside it, into a new directory."""
    beside_dir = directory / "beside"
    beside_dir.mkdir()
    _fetch_root(directory, release, release.packages, "--variant=minbase", *_base_hooks(beside_dir, release))
    _unpack_packages(beside_dir)
    (directory / "old").mkdir()
    fetch_packages(directory / "old", OLD_SUITE, *OLD_PACKAGES)


def _extend_base(directory, cache, release, extra):
    """The same of the base without more packages; what lies beside it is that base's."""
    plain = base(cache, release=release)
    for name in ("beside", "old"):
        (directory / name).symlink_to(f"../{plain.name}/{name}")
    _fetch_root(directory, release, extra, "--variant=custom",
                f'--setup-hook=tar -C "$1" --numeric-owner -xpf {plain}/root.tar')


def base(cache, extra=(), release=STABLE):
    """The base in the cache directory, built if it is not there yet; extra are packages that it has besides."""
    what = (release.suite, *release.packages, *extra, OLD_SUITE, *OLD_PACKAGES, *_base_hooks("beside", release))
    key = hashlib.sha256("\n".join(what).encode()).hexdigest()[:16]

    def make(directory):
        if extra:
            _extend_base(directory, cache, release, extra)
        else:
            _build_base(directory, release)

    with _base_lock:
        return cached(pathlib.Path(cache) / f"base-{key}", make)


# The image: the base, made into a disk that boots

@dataclasses.dataclass(frozen=True)
class Image:
    """A disk, and what is needed to start its kernel without its boot loader."""
    disk: pathlib.Path
    kernel: pathlib.Path
    initrd: pathlib.Path
    cmdline: str
    release: str
    firmware: Firmware = FIRMWARE


def _unpack(base_dir, root, tree):
    """Unpacks the base, and over it the tree (a directory or a tar), everything owned by root."""
    root.mkdir()
    run("tar", "-C", root, "--numeric-owner", "-xpf", base_dir / "root.tar")
    if tree is None:
        return
    archive = root.parent / "tree.tar"
    if pathlib.Path(tree).is_dir():
        run("tar", "-C", tree, "--owner=0", "--group=0", "-cf", archive, ".")
    else:
        shutil.copy(tree, archive)
    # Debian's /lib is a link into /usr, which a directory of the same name must not replace.
    run("tar", "-C", root, "--keep-directory-symlink", "-xpf", archive)
    root.chmod(0o755)
    archive.unlink()


def _install_rpms(root, rpms):
    """Installs packages; what they require is there, but dpkg knows of it and rpm does not. They make their users
    and enable their units themselves."""
    database = ("--root", root, "--dbpath", "/var/lib/rpm")
    run("rpm", *database, "--initdb")
    run("rpm", *database, "--nodeps", "--install", *rpms)


def _check_libraries(root):
    """Fails early, by name, if the guest lacks a library of the programs under test."""
    present = {path.name for path in root.glob("usr/lib/x86_64-linux-gnu/*.so.*")}
    missing = [name for name in SONAMES if name not in present]
    if missing:
        raise ImageError(f"the guest has no {', '.join(missing)}")


def compile_static(source, program):
    """Compiles a program statically, so that it needs nothing of the guest."""
    program.parent.mkdir(exist_ok=True)
    run("cc", "-static", "-O2", "-D_GNU_SOURCE", "-o", program, HERE / "guest" / source)


def _install_shell(root):
    """The test shell and its unit."""
    compile_static("shell.c", root / "usr/libexec/e2e-shell")
    shutil.copy(HERE / "guest/e2e-shell.service", root / "etc/systemd/system")


def _enable(root, units):
    """Users, units and presets, as the package manager would have left them."""
    system = root / "etc/systemd/system"
    for unit in MASKED:
        path = system / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    run("chroot", root, "systemd-sysusers")
    run("chroot", root, "systemctl", "enable", "e2e-shell.service", *units)


def _configure(root):
    """The few files that make the tree a bootable machine which has booted before."""
    etc = root / "etc"
    shutil.copy(HERE / "guest/fstab", etc / "fstab")
    (etc / "machine-id").write_text(MACHINE_ID + "\n")
    (etc / "hostname").write_text("guest\n")
    (root / "boot/efi").mkdir()
    journal = etc / "systemd/journald.conf.d"
    journal.mkdir(parents=True)
    (journal / "e2e.conf").write_text("[Journal]\nStorage=volatile\n")
    trigger = etc / "systemd/system/systemd-udev-trigger.service.d"
    trigger.mkdir()
    shutil.copy(HERE / "guest/udev-trigger.conf", trigger / "e2e.conf")
    # Newer than /usr for ever (the last second that mke2fs can store): the first boot has nothing to update.
    for stamp in (etc / ".updated", root / "var/.updated"):
        stamp.touch()
        os.utime(stamp, (2 ** 31 - 1, 2 ** 31 - 1))


def empty_cpio():
    """An archive without a member: an initrd that adds nothing, so that the kernel mounts root= itself."""
    name = b"TRAILER!!!\0"
    fields = [0] * 4 + [1] + [0] * 6 + [len(name), 0]
    record = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return record.ljust(512, b"\0")


def _kernel_release(root):
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise ImageError(f"one kernel was expected in the guest, found {[k.name for k in kernels]}")
    return kernels[0].name[len("vmlinuz-"):]


def _take_kernel(root, work, release):
    """Replaces the initrd, and copies kernel and initrd to where a direct boot finds them."""
    initrd = root / f"boot/initrd.img-{release}"
    initrd.write_bytes(empty_cpio())
    return (pathlib.Path(shutil.copy(root / f"boot/vmlinuz-{release}", work / "vmlinuz")),
            pathlib.Path(shutil.copy(initrd, work / "initrd.img")))


def grub_cfg(release, cmdline):
    """The grub.cfg of the image, in the form that openEuler's grub2-mkconfig writes."""
    text = (HERE / "guest/grub.cfg").read_text()
    for name, value in (("KERNEL", release), ("CMDLINE", cmdline), ("MACHINE", MACHINE_ID)):
        text = text.replace(f"@{name}@", value)
    return text


def make_grub(modules, target, more=()):
    """GRUB as one EFI program; more are modules that it has besides."""
    run("grub-mkimage", "-O", "x86_64-efi", "-d", modules / "usr/lib/grub/x86_64-efi", "-p", "/EFI/openEuler",
        "-o", target, *GRUB_MODULES, *more)


def _put_grub(base_dir, efi):
    """GRUB beside its grub.cfg, where the firmware finds it; and an older one."""
    (efi / "EFI/BOOT").mkdir(exist_ok=True)
    make_grub(base_dir / "beside", efi / "EFI/BOOT/BOOTX64.EFI")
    shutil.copy(efi / "EFI/BOOT/BOOTX64.EFI", efi / "EFI/openEuler/grubx64.efi")
    make_grub(base_dir / "old", efi / OLD_GRUB)


def _make_esp(base_dir, work, efi):
    """The EFI system partition, of what the tree has at its mount point; that stays, and is empty."""
    esp = work / "esp.img"
    if (efi / GRUB_CFG).exists():
        _put_grub(base_dir, efi)
    esp.unlink(missing_ok=True)
    run("mkfs.vfat", "-C", "-F", "32", "-n", "ESP", esp, ESP_MIB * 1024)
    run("mcopy", "-s", "-i", esp, *efi.iterdir(), "::/")
    shutil.rmtree(efi)
    efi.mkdir()
    return esp


def _write_grub_cfg(root, release, cmdline):
    """The grub.cfg in the tree, where an image builder that has the ESP mounted sees it."""
    config = root / "boot/efi" / GRUB_CFG
    config.parent.mkdir(parents=True)
    config.write_text(grub_cfg(release, cmdline))


def _make_root(root, work, size):
    """The root partition, of a size in MiB. Two ext4 features are left out that GRUB cannot read."""
    partition = work / "root.img"
    partition.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum_seed,^orphan_file", "-E", "lazy_itable_init=0",
        "-L", "root", "-d", root, partition, f"{size}M")
    return partition


def _make_disk(work, esp, root, size):
    """A GPT disk of both partitions, sparse; size is that of the root partition."""
    disk = work / "disk.img"
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as file:
        file.truncate((ESP_MIB + size + 3) << 20)
    table = f"label: gpt\nstart=1MiB, size={ESP_MIB}MiB, type=U\nsize={size}MiB, type=L, uuid={ROOT_PARTUUID}\n"
    run("sfdisk", "-q", disk, stdin=table.encode())
    for partition, start in ((esp, 1), (root, 1 + ESP_MIB)):
        run("dd", f"if={partition}", f"of={disk}", "bs=1M", f"seek={start}", "conv=notrunc,sparse", "status=none")
        partition.unlink()
    return disk


def build(cache, work, tree=None, units=(), cmdline=CMDLINE, rpms=(), extra=(), bake=None, root_mib=ROOT_MIB,
          debian=STABLE):
    """Builds an image in the work directory.

    tree is what is tested (a directory as `make install DESTDIR=` leaves it, or a tar); units are the
    units that are enabled in the guest, those a package's presets would enable. rpms are packages
    that are installed, extra the names of more Debian packages.
    bake(root) is called with the finished tree, with its grub.cfg, before it becomes a disk.
    root_mib is the size of its root partition.
    debian is the release that it is made of.
    """
    if os.geteuid() != 0:
        raise ImageError("an image can only be built by root")
    base_dir, work = base(cache, extra, debian), pathlib.Path(work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    root = work / "root"
    try:
        _unpack(base_dir, root, tree)
        _check_libraries(root)
        _install_shell(root)
        compile_static("broken-qga.c", root / BROKEN_QGA)
        _configure(root)
        if rpms:
            _install_rpms(root, rpms)
        _enable(root, units)
        release = _kernel_release(root)
        kernel, initrd = _take_kernel(root, work, release)
        _write_grub_cfg(root, release, cmdline)
        if bake:
            bake(root)
        esp = _make_esp(base_dir, work, root / "boot/efi")
        disk = _make_disk(work, esp, _make_root(root, work, root_mib), root_mib)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    newer = base_dir / "beside/usr/share/OVMF"
    return Image(disk, kernel, initrd, cmdline, release, _ovmf(newer) if newer.is_dir() else FIRMWARE)
