# SPDX-License-Identifier: Apache-2.0
"""A tree of a guest with Debian's SELinux policy, gtuned's module in it, and labels on its files."""

import os
import pathlib
import shutil

import image
from image import run

SOURCES = image.HERE.parents[1] / "packaging/selinux"
PACKAGES = ("selinux-policy-default", "policycoreutils", "selinux-utils")
STORE = "default"
# The policy is a few hundred MiB while it is built.
ROOT_MIB = 1800
# Enforcing from the first instruction of user space; each denial is in the kernel's log, because no auditd takes it.
CMDLINE = (f"{image.CMDLINE} security=selinux selinux=1 enforcing=1 audit=1 audit_backlog_limit=8192 log_buf_len=8M "
           "sysctl.kernel.printk_ratelimit=0")
LABEL = "security.selinux"


def _devel(cache):
    """The headers of the guest's policy, unpacked; the machine of the tests may have those of another one."""
    return image.cached(pathlib.Path(cache) / f"selinux-devel-{image.SUITE}",
                        lambda directory: image.fetch_packages(directory, image.SUITE, "selinux-policy-dev"))


def make_module(cache, work):
    """gtuned.pp, built with the headers of the guest's policy."""
    share = _devel(cache) / "usr/share/selinux"
    work.mkdir(parents=True)
    for suffix in ("te", "fc", "if"):
        shutil.copy(SOURCES / f"gtuned.{suffix}", work)
    run("make", "-C", work, "-f", share / "devel/Makefile", f"SHAREDIR={share}", f"NAME={STORE}", "gtuned.pp")
    return work / "gtuned.pp"


def install_module(root, module):
    """Builds the guest's policy with the module in it, and without a single dontaudit rule."""
    (root / "etc/selinux/config").write_text(f"SELINUX=enforcing\nSELINUXTYPE={STORE}\n")
    shutil.copy(module, root / "gtuned.pp")
    run("chroot", root, "semodule", "-n", "-D", "-X", "200", "-i", "/gtuned.pp")
    (root / "gtuned.pp").unlink()


def set_label(path, user, kind):
    """Gives one file a label; this machine knows nothing of SELinux, so that any is taken."""
    os.setxattr(path, LABEL, f"{user}:object_r:{kind}:s0\0".encode(), follow_symlinks=False)


def label(root):
    """Labels all files as the first boot of a real machine would do it. The compiled patterns are another program's."""
    contexts = root / "etc/selinux" / STORE / "contexts/files"
    compiled, aside = sorted(contexts.glob("*.bin")), root.parent / "patterns"
    aside.mkdir()
    for path in compiled:
        shutil.move(path, aside)
    run("setfiles", "-m", "-F", "-r", root, contexts / "file_contexts", root)
    for path in compiled:
        shutil.move(aside / path.name, path)
        set_label(path, "system_u", "file_context_t")
    aside.rmdir()
