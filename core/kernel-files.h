/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files of a kernel: its image and its configuration. Debian up to 13, RHEL and openEuler have them in /boot by the
 * kernel's release. Debian 14, Fedora and openSUSE have them in the directory of the kernel's modules, and a script or
 * a link brings them to /boot; a system of ostree, an image of a container and one with unified kernel images have
 * nothing there.
 */

#include "core/root.h"

/* Where the modules of a kernel are, NULL-terminated; /lib is a link on most systems. */
extern const char *const kernel_module_directories[];

/**
 * kernel_find_newest() - find the newest kernel of an image, which is the kernel that it will most likely run
 * @root: the root
 * @ret: takes the kernel's release, or NULL if there is no kernel; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_find_newest(const Root *root, char **ret);

/**
 * kernel_images() - make the paths that a kernel may have, what boots first
 * @release: the kernel's release
 * @ret: takes a NULL-terminated array; the caller calls strv_free()
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_images(const char *release, char ***ret);

/**
 * kernel_read_config() - read the configuration of a kernel
 * @root: the root
 * @release: the kernel's release; NULL: unknown
 * @ret: takes the text; it stays empty if there is none
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_read_config(const Root *root, const char *release, Buffer *ret);
