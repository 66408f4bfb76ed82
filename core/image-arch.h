/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The architecture that an image is for, from what lies in it: its kernel and its programs.
 */

#include "core/root.h"

/**
 * image_arch() - find out which architecture an image is for
 * @root: the root of the image
 * @release: the release of its kernel, or NULL if it is unknown
 * @ret: takes the architecture as uname(2) calls it, or NULL if nothing tells it; the caller frees it
 * @ret_path: takes the path that tells it, or NULL; the caller frees it
 * @ret_problem: takes a sentence if two of them contradict each other, or NULL; the caller frees it
 *
 * The kernel is asked before the programs: those may be of the older architecture that it runs, too (i686 on x86_64).
 * Return: 0 or -ENOMEM.
 */
int image_arch(const Root *root, const char *release, char **ret, char **ret_path, char **ret_problem);
