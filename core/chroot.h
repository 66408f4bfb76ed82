/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finding out whether this process sees the whole system.
 */

#include "core/root.h"

/**
 * in_chroot() - whether this process runs in a chroot, whose /sys and /proc belong to another machine
 * @root: the running system's root
 *
 * As systemd's running_in_chroot() (src/basic/virt.c), it compares the root of this process with that of process 1. A
 * process that may not look at process 1 counts as outside of a chroot only if it is a service of systemd, as our own
 * boot unit is, and "/" is a mount point.
 */
bool in_chroot(const Root *root);
