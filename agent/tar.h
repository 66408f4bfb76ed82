/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes a tar file (POSIX.1-1988 ustar). Only what a snapshot needs: directories, files and links, owned by
 * root, without times, so that the same machine gives the same bytes.
 */

#include <sys/types.h>

#include "core/buffer.h"

typedef enum TarType {
        TAR_FILE = '0',
        TAR_LINK = '2',
        TAR_DIRECTORY = '5',
} TarType;

/**
 * tar_add() - append one member
 * @b: takes the bytes
 * @type: what it is
 * @path: absolute; stored without the leading slash
 * @mode: permission bits
 * @content: of a file, else NULL
 * @target: of a link, else NULL
 *
 * Return: 0; -ENAMETOOLONG where the path does not fit the header; -ENOMEM.
 */
int tar_add(Buffer *b, TarType type, const char *path, mode_t mode, const Buffer *content, const char *target);

/** tar_finish() - append the end mark. Return: 0 or -ENOMEM. */
int tar_finish(Buffer *b);
