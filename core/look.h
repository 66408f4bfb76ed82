/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Resolving a path below a directory as in a chroot: absolute links and too many ".." do not lead out of it. The kernel
 * resolves the path in one call, openat2(2) with RESOLVE_IN_ROOT. Kernels before 5.6 do not have that call, and the
 * filters of some containers refuse it; then the path is walked by hand, one name after the other.
 */

#include <limits.h>
#include <sys/stat.h>

#include "core/util.h"

/*
 * Called for each name on the way to a file: directory is an open directory (O_PATH), path its path without links ("" for
 * the root) and name the next name in it, which may be a link or absent. At the end name is NULL, and directory and path
 * are what the way leads to. An error ends the walk.
 */
typedef int (*LookStep)(int directory, const char *path, const char *name, void *userdata);

/* The file to which a path leads. It is not opened for reading, so that a look has no effect on a FIFO or a device. */
typedef struct Look {
        int root;            /* the directory; not owned */
        int fd;              /* the file, opened with O_PATH; -EBADF: the root itself, if by_hand */
        struct stat st;      /* of fd */

        /* The state of a walk by hand. */
        bool by_hand;
        LookStep step;       /* may be NULL */
        void *userdata;
        int parent;          /* the directory that holds fd; -EBADF: the root itself */
        unsigned n_links;    /* links that were followed */
        const char *todo;    /* the rest of the path */
        char *spelled;       /* after a link: the text that todo points into */
        size_t n_real;       /* bytes of real */
        char real[PATH_MAX]; /* the path of fd without links: "" for the root, else "/a/b" */
} Look;

/**
 * look_init() - initialize a look, without looking at anything yet
 * @l: the look; the caller calls look_done()
 * @root: an open directory, which must stay open until then
 *
 * This is no constant, because an initializer would clear all of l->real.
 */
void look_init(Look *l, int root);

/** look_done() - close and release what look_at() opened */
void look_done(Look *l);

/**
 * look_at() - find the file to which a path leads
 * @l: fresh from look_init(); takes fd and st
 * @path: absolute, as seen inside the root
 *
 * Magic links of procfs (symlink(7)) are not followed: openat2() fails with -ELOOP, and a walk by hand takes the text
 * of the link as a path inside the root.
 *
 * Return: 0 or -errno: -ENOENT, -ENOTDIR, -EACCES, -ELOOP.
 */
int look_at(Look *l, const char *path);

/**
 * look_open() - open the file that look_at() has found
 * @l: the look
 * @path: the path that look_at() was given
 * @flags: as for open(2)
 *
 * The path may lead to another file by now, so the caller compares its device and inode with l->st.
 *
 * Return: a descriptor, which the caller closes, or -errno.
 */
int look_open(const Look *l, const char *path, int flags);

/**
 * open_inside() - open the file to which a path leads
 * @root: an open directory
 * @path: absolute, as seen inside the root
 * @flags: as for open(2)
 *
 * Return: a descriptor, which the caller closes, or -errno as look_at().
 */
int open_inside(int root, const char *path, int flags);

/**
 * resolve_inside() - resolve all links of a path
 * @root: an open directory
 * @path: absolute, as seen inside the root; the file must exist
 * @ret: takes the real path, as seen inside the root; the caller frees it
 *
 * Return: 0 or -errno.
 */
int resolve_inside(int root, const char *path, char **ret);

/**
 * look_walk() - walk to a path name by name, the names of each link's target included
 * @root: an open directory
 * @path: absolute, as seen inside the root
 * @step: called for each name
 * @userdata: passed to step
 *
 * Return: 0, or -errno of a step or as look_at().
 */
int look_walk(int root, const char *path, LookStep step, void *userdata);
