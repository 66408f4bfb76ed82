/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The root: an open directory through which every path is reached. It is "/", or the directory that --root names. A
 * path is always written as the machine itself writes it ("/etc/default/grub"); links in it resolve as in a chroot, so
 * that an absolute target or too many ".." do not lead out of the root.
 *
 * Only regular files and directories are opened. A FIFO, a device or a socket is refused without opening it. Below a
 * root that is not "/", nothing is read or changed on a mounted sysfs, procfs, devtmpfs or tmpfs: image builders
 * bind-mount those from the machine that builds.
 */

#include "core/buffer.h"
#include "core/look.h"

typedef struct Root Root;

/* Positive outcome of the functions below that open something. */
enum {
        ROOT_OK = 0,
        ROOT_FOREIGN = 1, /* the path lies on a virtual file system of another machine: treat it as absent */
};

/**
 * root_new() - open a root
 * @ret: takes the root; the caller frees it
 * @path: "/" or a directory
 *
 * Return: 0, or -errno of opening the directory or of asking for its file system.
 */
int root_new(Root **ret, const char *path);

/** root_copy() - open the same root once more, not traced, for another thread. Return: 0 or -errno. */
int root_copy(Root **ret, const Root *root);

/** root_free() - close a root; NULL is ignored */
Root *root_free(Root *root);
DEFINE_CLEANUP(Root *, root_free);

/** root_is_live() - whether this root is the running system's own "/" */
bool root_is_live(const Root *root) _pure_;

/* How a path was looked at. */
typedef enum SightKind {
        SIGHT_CONTENT,   /* root_read() */
        SIGHT_NAMES,     /* root_list() */
        SIGHT_PRESENCE,  /* root_exists() */
        SIGHT_METADATA,  /* root_stat() */
        SIGHT_FILE,      /* root_open(): its metadata, because the caller reads as it likes */
        SIGHT_REAL_PATH, /* root_resolve() */
        SIGHT_MASK,      /* root_is_mask() */
        SIGHT_DEVICE,    /* root_read_device(); max is the number of bytes */
        _SIGHT_KIND_MAX,
} SightKind;

/* One look at a path, and what was seen. */
typedef struct Sight {
        SightKind kind;
        const char *path;
        size_t max;      /* of SIGHT_CONTENT and SIGHT_DEVICE: as the function was told */
        int outcome;     /* negative: the error that the caller got */
        uint64_t digest; /* of what the caller got, errors included; the same digest: nothing has changed */
} Sight;

/* Who wants to know what is looked at. */
typedef struct RootTrace {
        /* Called before a path is opened, listed or tested, present or not; there is no digest yet. */
        void (*before)(const Sight *sight, void *userdata);

        /* Called with what was seen. May be NULL; then no digest is made. */
        void (*after)(const Sight *sight, void *userdata);

        void *userdata;
} RootTrace;

/**
 * root_trace() - call functions for each path that is looked at from now on
 * @root: the root
 * @trace: the functions; copied; NULL ends it
 *
 * The daemon learns by this on which files a report depends, and a snapshot which files it has to hold.
 */
void root_trace(Root *root, const RootTrace *trace);

/**
 * root_remember() - read each small file only once from now on
 * @root: the root
 * @remember: false: forget what was read
 *
 * A survey is so consistent in itself, and a file that several practices look at is not read by each of them.
 */
void root_remember(Root *root, bool remember);

/*
 * Files that are read with other bytes than they have. root_resolve() and root_list() know them even if they are not
 * there, and root_read() even if their directory is not.
 */
typedef struct RootOverlay {
        const char *path; /* absolute path inside the root, without links */
        const Buffer *content;
} RootOverlay;

/**
 * root_overlay() - read some files from now on as they would be
 * @root: the root, which must not remember files that it has read (root_remember())
 * @files: the files, sorted by root_overlay_compare(); the array must outlive the root
 * @n: how many
 *
 * Links to these files are not followed: the caller asks by the path without links (root_resolve()).
 */
void root_overlay(Root *root, const RootOverlay *files, size_t n);

/** root_overlay_compare() - compare the paths of two RootOverlay, for qsort(3) */
int root_overlay_compare(const void *a, const void *b) _pure_;

/**
 * root_walk() - walk to a path name by name; see look_walk() in core/look.h
 * @root: the root
 * @path: absolute path inside it
 * @step: called for each name on the way
 * @userdata: passed to step
 *
 * Return: 0 or -errno.
 */
int root_walk(const Root *root, const char *path, LookStep step, void *userdata);

/**
 * root_open() - open a regular file or a directory for reading
 * @root: the root
 * @path: absolute path inside it
 * @ret_fd: takes the descriptor; the caller closes it
 *
 * Return: ROOT_OK, ROOT_FOREIGN, or -errno: -ENOENT (also for a dangling link), -EACCES, -ELOOP (links in a circle),
 * -EOPNOTSUPP for anything but a regular file or a directory.
 */
int root_open(const Root *root, const char *path, int *ret_fd);

/**
 * root_read() - read a whole regular file
 * @root: the root
 * @path: absolute path inside it
 * @max: the largest size in bytes that is accepted
 * @ret: takes the bytes; the caller calls buffer_done()
 *
 * Return: ROOT_OK; -ENOENT, also if the path is foreign; -EISDIR; -EOPNOTSUPP for a FIFO, device or socket; -EFBIG if
 * the file holds more than max bytes; another -errno.
 */
int root_read(const Root *root, const char *path, size_t max, Buffer *ret);

/**
 * root_read_entry() - read a file of a directory that is open, for many files in one directory
 * @root: the root
 * @directory: the directory that holds the file, opened with root_open()
 * @path: absolute path of the file inside the root, without links
 * @max: the largest size in bytes that is accepted
 * @ret: takes the bytes; the caller calls buffer_done()
 *
 * Return: as root_read(); -ELOOP if the file itself is a link, or may be mounted there: root_read() reads that too.
 */
int root_read_entry(const Root *root, int directory, const char *path, size_t max, Buffer *ret);

/**
 * root_read_line() - read a one-line attribute such as those of sysfs
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes the text without the white space at its ends; the caller frees it
 *
 * At most 4 KiB are read. Return: as root_read().
 */
int root_read_line(const Root *root, const char *path, char **ret);

/**
 * root_read_device() - read a number of bytes of a character device that does not mind being opened and read
 * @root: the root
 * @path: absolute path inside it; the caller knows this device by name
 * @size: how many bytes it gives
 * @ret: takes the bytes
 *
 * Devices are opened on the running system only. Elsewhere a regular file stands for the device, as in a snapshot.
 *
 * Return: 0; -ENOENT, also if the path is foreign; -ENODATA if it gives fewer bytes; another -errno.
 */
int root_read_device(const Root *root, const char *path, size_t size, void *ret);

/**
 * root_list() - list the names in a directory, sorted
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes a NULL-terminated array; the caller calls strv_free()
 *
 * "." and ".." are left out. Return: the number of names; -ENOENT, also if the path is foreign; -EFBIG if there are
 * more than 65536; another -errno.
 */
int root_list(const Root *root, const char *path, char ***ret);

/**
 * root_list_optional() - list the names in a directory that may be missing, sorted
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes a NULL-terminated array, or NULL if there is no such directory; the caller calls strv_free()
 *
 * What is no directory has no names, as if nothing were there. But a directory that cannot be listed may hold anything:
 * that is an error, which the caller must report. Return: the number of names, or an -errno of root_list().
 */
int root_list_optional(const Root *root, const char *path, char ***ret);

/**
 * root_resolve() - resolve all links of a path
 * @root: the root
 * @path: absolute path inside it
 * @ret: takes the path without links, as seen inside the root; the caller frees it
 *
 * The last component must exist. Return: 0 or -errno.
 */
int root_resolve(const Root *root, const char *path, char **ret);

/** root_exists() - whether a path leads to a regular file or directory that may be looked at */
bool root_exists(const Root *root, const char *path);

/**
 * root_is_mask() - whether a path is itself a link to /dev/null, which masks a file of this name
 * @root: the root
 * @path: absolute path inside it
 *
 * Only the text of the link counts: an image has no /dev/null yet. Return: 1 if the path is such a link; 0 if it is
 * not, or if that cannot be found out; -ENOENT if nothing is there; -ENOMEM.
 */
int root_is_mask(const Root *root, const char *path);

/**
 * root_stat() - look at a regular file or directory
 * @root: the root
 * @path: absolute path inside it; links are followed
 * @ret: takes the metadata
 *
 * Return: 0; -ENOENT, also if the path is foreign; -EOPNOTSUPP; another -errno.
 */
int root_stat(const Root *root, const char *path, struct stat *ret);

/**
 * root_open_parent() - open the directory that holds a path, for changing an entry in it
 * @root: the root
 * @path: absolute path inside it, without links in the last component (see root_resolve())
 * @create: make missing directories (mode 0755)
 * @ret_fd: takes the descriptor of the directory
 * @ret_name: takes a pointer into path: the last component
 *
 * Return: ROOT_OK, ROOT_FOREIGN or -errno.
 */
int root_open_parent(const Root *root, const char *path, bool create, int *ret_fd, const char **ret_name);
