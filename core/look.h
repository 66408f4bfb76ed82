/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a path leads below a directory, as in a chroot: an absolute link and too many ".." stay below it. The kernel
 * resolves it in one call, openat2(2) with RESOLVE_IN_ROOT. Kernels before 5.6 and the filters of some containers
 * do not have that call; then the path is walked by hand, one name after the other.
 */

#include <limits.h>
#include <sys/stat.h>

#include "core/util.h"

/* What a path leads to, without opening it: looking at a FIFO or a device has no effect on it. */
typedef struct Look {
        int root;            /* the directory; not owned */
        int fd;              /* what was found, O_PATH; -EBADF: the root itself, if by_hand */
        struct stat st;      /* of fd */

        /* of a walk by hand */
        bool by_hand;
        int parent;          /* holds fd; -EBADF: the root itself */
        unsigned n_links;
        const char *todo;    /* what is left of the path */
        char *spelled;       /* what todo points into after a link */
        size_t n_real;
        char real[PATH_MAX]; /* where fd lies, without links: "" for the root, else "/a/b" */
} Look;

/**
 * look_init() - begin, without looking at anything yet
 * @l: the caller calls look_done()
 * @root: an open directory, which has to stay open as long
 *
 * There is no constant for this: it would have to clear the whole of l->real.
 */
void look_init(Look *l, int root);

/** look_done() - close what look_at() opened */
void look_done(Look *l);

/**
 * look_at() - find what a path leads to
 * @l: fresh from look_init(); takes fd and st
 * @path: absolute, as seen inside the root
 *
 * A magic link of procfs (symlink(7)) leads nowhere: openat2() refuses it with -ELOOP, and a walk takes its text for
 * a path inside the root.
 *
 * Return: 0 or -errno: -ENOENT, -ENOTDIR, -EACCES, -ELOOP.
 */
int look_at(Look *l, const char *path);

/**
 * look_open() - open what look_at() has found
 * @l: what was found
 * @path: the same path
 * @flags: as for open(2)
 *
 * Something else may be there by now: compare its device and inode with l->st.
 *
 * Return: a descriptor, which the caller closes, or -errno.
 */
int look_open(const Look *l, const char *path, int flags);

/**
 * open_inside() - open what a path leads to
 * @root: an open directory
 * @path: absolute, as seen inside the root
 * @flags: as for open(2)
 *
 * Return: a descriptor, which the caller closes, or -errno as look_at().
 */
int open_inside(int root, const char *path, int flags);

/**
 * resolve_inside() - the path without links
 * @root: an open directory
 * @path: absolute, as seen inside the root; what it names must exist
 * @ret: takes the real path, as seen inside the root; the caller frees it
 *
 * Return: 0 or -errno.
 */
int resolve_inside(int root, const char *path, char **ret);
