/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an installed qemu-ga understands, read from the bytes of its file and never by running it: this works
 * in a sandbox, for another architecture and on a tree that nobody vouches for. Capabilities are asked for,
 * not version numbers: distributions backport.
 */

#include "core/root.h"
#include "qga-policy/names.h"

/* No more than this of a file is looked at, in bytes. */
#define QGA_BINARY_MAX (16U * 1024U * 1024U)

typedef struct QgaBinary {
        Names names;     /* the RPCs that it has, sorted */
        bool blacklist;  /* --blacklist and the key "blacklist": until 9.0 */
        bool block_rpcs; /* --block-rpcs and "block-rpcs": from 7.2 */
        bool allow_rpcs; /* --allow-rpcs and "allow-rpcs": from 8.1 */
        char *conf;      /* path of its qemu-ga.conf as compiled in; NULL: none was found */
} QgaBinary;

/**
 * qga_binary_read() - look at a qemu-ga
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes the answer; the caller calls qga_binary_done()
 *
 * Return: 0; -ENOENT; -EBADMSG where it is no ELF file with names of RPCs in it; -ENOMEM; another -errno of
 * opening or reading it.
 */
int qga_binary_read(const Root *root, const char *path, QgaBinary *ret);

/** qga_binary_done() - release what qga_binary_read() filled in */
void qga_binary_done(QgaBinary *binary);

/** qga_binary_is_exclusive() - whether it exits when it gets a block list and an allow list at once: 8.1 to 9.0 */
static inline bool qga_binary_is_exclusive(const QgaBinary *binary) {
        return binary->allow_rpcs && binary->blacklist;
}

/** qga_binary_has_config() - whether it has -c and --config: from 9.1, when --blacklist went */
static inline bool qga_binary_has_config(const QgaBinary *binary) {
        return binary->block_rpcs && !binary->blacklist;
}
