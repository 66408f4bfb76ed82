/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Replacing a file in steps that a transaction can order: stage the new bytes beside the target and flush
 * them, rename, flush the directory. Mode, owner, label and access list of the target are kept.
 */

#include "core/root.h"

typedef struct Replacement {
        int directory_fd;
        char *path;   /* the target, as seen inside the root, without links */
        char *name;   /* its last component */
        char *staged; /* name of the staged file beside it; NULL where the target is to be removed */
        int old_fd;   /* the file that was replaced, until the change is on the disk and the state is released */
} Replacement;

#define REPLACEMENT_NULL ((Replacement) {.directory_fd = -EBADF, .old_fd = -EBADF})

/** replacement_staged_name() - the name under which a file's new bytes wait: ".NAME.gtuned"; NULL: no memory */
char *replacement_staged_name(const char *name);

/**
 * replacement_stage() - write the new bytes beside the target and flush them
 * @root: the root
 * @path: the target without links in its last component; its directory is made where it is missing
 * @content: the new bytes, or NULL to remove the target
 * @mode: permission bits of a target that does not exist yet
 * @ret: takes the state; the caller calls replacement_done(), which removes what is still staged
 *
 * Return: 0, -EROFS where the path is foreign (see root.h), or -errno; then nothing is left behind.
 */
int replacement_stage(const Root *root, const char *path, const Buffer *content, mode_t mode, Replacement *ret);

/**
 * replacement_adopt() - take up a file that an earlier process staged
 * @root: the root
 * @path: the target
 * @ret: takes the state
 *
 * Return: 0 or -errno; -ENOENT where nothing is staged.
 */
int replacement_adopt(const Root *root, const char *path, Replacement *ret);

/**
 * replacement_commit() - rename the staged file over the target, or remove the target
 * @r: the state
 *
 * The old file is held open until replacement_done(): its blocks would else be given free, and that could reach the
 * disk before the directory that still points to it, on FAT before replacement_sync(), on XFS before settle().
 * Return: 0 or -errno.
 */
int replacement_commit(Replacement *r);

/**
 * replacement_sync() - flush what the rename changed, so that it survives
 * @r: the state
 *
 * The directory first: on FAT that takes the staged name from the disk, and only the file's own flush writes its new
 * place under the name of the target (Linux: fs/fat/inode.c, fat_write_inode()). The other way round two names would
 * share the same clusters for a moment, and removing one of them, or fsck, would destroy the other. Return: 0 or -errno.
 */
int replacement_sync(Replacement *r);

/** replacement_done() - remove what is still staged and release the state */
void replacement_done(Replacement *r);

/**
 * replace_file() - all steps at once
 * @root: the root
 * @path: as replacement_stage()
 * @content: the new bytes
 * @mode: permission bits of a new file
 *
 * Return: 0 or -errno.
 */
int replace_file(const Root *root, const char *path, const Buffer *content, mode_t mode);

/** update_file() - replace_file(), unless these bytes are there already. Return: 1, 0 where they were, or -errno. */
int update_file(const Root *root, const char *path, const Buffer *content, mode_t mode);

/**
 * write_attribute() - write a value to a kernel attribute in place
 * @root: the root
 * @path: the attribute; must exist
 * @value: the text without a newline
 *
 * Return: 0 or -errno as the kernel gave it; -EROFS where the path is foreign.
 */
int write_attribute(const Root *root, const char *path, const char *value);
