/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether this process sees the whole system.
 */

#include "core/root.h"

/**
 * in_chroot() - whether this process runs in a chroot, whose /sys and /proc belong to another machine
 * @root: the running system's root
 *
 * As systemd's running_in_chroot(): the first process knows the real root. A process that may not ask it is a service of
 * systemd with few rights, such as our own boot unit, or something that cannot be trusted to see the whole system.
 */
bool in_chroot(const Root *root);
