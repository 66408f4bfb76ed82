/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-root.c and tests/unit/agent/daemon/test-path-watch.c. */

#include <linux/magic.h>
#include <sys/vfs.h>

#include "core/file-system.h"

/* Younger than the headers that some distributions build with (linux/magic.h). */
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef EROFS_SUPER_MAGIC_V1
#define EROFS_SUPER_MAGIC_V1 0xE0F5E1E2
#endif

static const long virtual_file_systems[] = {
        SYSFS_MAGIC,    PROC_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,  SECURITYFS_MAGIC, DEBUGFS_MAGIC,
        TRACEFS_MAGIC,  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SELINUX_MAGIC,   EFIVARFS_MAGIC,
        BPF_FS_MAGIC,
};

/* Every change of their files is made by a process of this kernel. */
static const long announcing_file_systems[] = {
        BTRFS_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1,  EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, ISOFS_SUPER_MAGIC,
        MSDOS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC,      SQUASHFS_MAGIC,   TMPFS_MAGIC,
        XFS_SUPER_MAGIC,
};

static bool file_system_is_of(long type, const long *types, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (types[i] == type)
                        return true;

        return false;
}

int file_system_is_virtual(int fd, bool tmpfs) {
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return negative_errno();

        return file_system_is_of(fs.f_type, virtual_file_systems, ELEMENTSOF(virtual_file_systems)) ||
               (tmpfs && fs.f_type == TMPFS_MAGIC);
}

bool file_system_announces(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) >= 0 &&
               file_system_is_of(fs.f_type, announcing_file_systems, ELEMENTSOF(announcing_file_systems));
}
