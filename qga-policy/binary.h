/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an installed qemu-ga understands, read from the bytes of its file. The file is never run: that works in a
 * sandbox, for another architecture, and in a tree that is not trusted. Capabilities count and not version numbers,
 * because distributions backport.
 */

#include "core/root.h"
#include "qga-policy/names.h"

/* At most so many bytes of a file are read. */
#define QGA_BINARY_MAX (16U * 1024U * 1024U)

typedef struct QgaBinary {
        Names names;     /* its RPCs, sorted */
        bool blacklist;  /* --blacklist and the key "blacklist": until 9.0 */
        bool block_rpcs; /* --block-rpcs and "block-rpcs": from 7.2 */
        bool allow_rpcs; /* --allow-rpcs and "allow-rpcs": from 8.1 */
        char *conf;      /* the compiled-in path of qemu-ga.conf; NULL: none was found */
} QgaBinary;

/**
 * qga_binary_read() - find out what a qemu-ga understands
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes the answer; the caller calls qga_binary_done()
 *
 * Return: 0; -ENOENT; -EBADMSG if it is no ELF file that holds names of RPCs; -ENOMEM; another -errno of opening or
 * reading it.
 */
int qga_binary_read(const Root *root, const char *path, QgaBinary *ret);

/** qga_binary_done() - release what qga_binary_read() filled in */
void qga_binary_done(QgaBinary *binary);

/** qga_binary_is_exclusive() - whether it refuses a block list together with an allow list: 8.1 to 9.0 */
static inline bool qga_binary_is_exclusive(const QgaBinary *binary) {
        return binary->allow_rpcs && binary->blacklist;
}

/** qga_binary_has_config() - whether it has -c and --config: from 9.1, which removed --blacklist */
static inline bool qga_binary_has_config(const QgaBinary *binary) {
        return binary->block_rpcs && !binary->blacklist;
}
