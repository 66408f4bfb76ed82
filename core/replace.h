/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Replacing a file in steps that a transaction can order: stage the new bytes beside the target and flush
 * them, rename, flush the directory. Mode, owner, access list, extended attributes and file flags of the target are kept.
 */

#include "core/root.h"

/* The open directory of a target. Replacements in the same directory share it. */
typedef struct Folder {
        unsigned n_users;
        int fd;
        bool fat;
} Folder;

typedef struct Replacement {
        Folder *folder;
        char *path;   /* the target, as seen inside the root, without links */
        const char *name; /* its last component, in path */
        char *staged; /* name of the staged file beside it; NULL: the target is to be removed */
        int old_fd;   /* the replaced file, held open until the state is released (see replacement_commit()) */
} Replacement;

#define REPLACEMENT_NULL ((Replacement) {.old_fd = -EBADF})

/* What a replacement of a file would meet. */
typedef struct FileTraits {
        unsigned other_names; /* hard links besides the path: they keep the old content */
        char flag, folder_flag; /* 'i' (immutable) or 'a' (append-only) of file and directory, which forbid it; 0: none */
} FileTraits;

/* The directory of the file that was looked at last. */
typedef struct Foresight {
        const Root *root;
        char *path; /* the file; NULL: none was looked at */
        int fd;     /* the directory */
        char flag;  /* FileTraits.folder_flag */
} Foresight;

#define FORESIGHT(at) ((Foresight) {.root = (at), .fd = -EBADF})

/**
 * foresight_file() - look at what a replacement of a file would meet
 * @f: fresh from FORESIGHT(); files in the same directory, one after the other, have it opened once
 * @path: the target without links in its last component; it need not exist
 * @ret: takes the answer
 *
 * Return: 0 or -errno of looking at it.
 */
int foresight_file(Foresight *f, const char *path, FileTraits *ret);

/** foresight_done() - close the directory */
void foresight_done(Foresight *f);

/** replacement_staged_name() - make the name of the staged file: ".NAME.gtuned". Return: a new string, or NULL. */
char *replacement_staged_name(const char *name);

/**
 * replacement_stage() - write the new bytes beside the target and flush them
 * @root: the root
 * @beside: another replacement, whose open directory is shared if the target is in it; or NULL
 * @path: the target without links in its last component; its directory is made if it is missing
 * @content: the new bytes, or NULL to remove the target
 * @mode: permission bits of a target that does not exist yet
 * @ret: takes the state; the caller calls replacement_done(), which removes what is still staged
 *
 * Return: 0; -EROFS if the path is foreign (see root.h); another -errno. After an error no staged file is left.
 */
int replacement_stage(const Root *root, const Replacement *beside, const char *path, const Buffer *content, mode_t mode,
                      Replacement *ret);

/**
 * replacement_adopt() - take up a file that an earlier process staged
 * @root: the root
 * @path: the target
 * @ret: takes the state; the caller calls replacement_done()
 *
 * Return: 0; -ENOENT if nothing is staged; another -errno.
 */
int replacement_adopt(const Root *root, const char *path, Replacement *ret);

/**
 * replacement_check_folder() - see whether the path still leads to the directory in which the file was staged
 * @root: the root
 * @r: the state
 *
 * Return: 0; -ESTALE if another process put another directory in its place; another -errno.
 */
int replacement_check_folder(const Root *root, const Replacement *r);

/**
 * replacement_check_target() - see whether the target is still as it was read, and hold it open
 * @r: the state, before replacement_commit()
 * @old: the bytes, or NULL if there was no such file
 *
 * What is held is what replacement_commit() replaces. Return: 0; -ESTALE if it has changed; another -errno.
 */
int replacement_check_target(Replacement *r, const Buffer *old);

/**
 * replacement_commit() - rename the staged file over the target, or remove the target
 * @r: the state
 *
 * The old file is held open until replacement_done(). Otherwise its blocks would be freed, and that could reach the
 * disk while the directory on the disk still points to them: on FAT before replacement_sync(), on XFS before
 * boot_flush() (engine/boot-flush.h). Return: 0 or -errno.
 */
int replacement_commit(Replacement *r);

/**
 * replacement_sync_folder() - flush the directory after the rename
 * @r: the state
 *
 * This comes first, and serves all that was renamed in the directory. On FAT it removes the staged name from the disk,
 * and only the flush of the file writes its new place under the name of the target (Linux: fs/fat/inode.c,
 * fat_write_inode()). In the other order two names would share the same clusters for a moment; a crash then would let
 * fsck, or the removal of one, destroy the other. Return: 0 or -errno.
 */
int replacement_sync_folder(const Replacement *r);

/** replacement_sync_file() - flush the file itself, after replacement_sync_folder(). Return: 0 or -errno. */
int replacement_sync_file(const Replacement *r);

/** replacement_sync() - flush what the rename changed, so that it survives. Return: 0 or -errno. */
int replacement_sync(const Replacement *r);

/** replacement_done() - remove the file that is still staged, if any, and release the state */
void replacement_done(Replacement *r);

/**
 * replace_file() - stage, commit and flush a file
 * @root: the root
 * @path: as replacement_stage()
 * @content: the new bytes
 * @mode: permission bits of a new file
 *
 * Return: 0 or -errno.
 */
int replace_file(const Root *root, const char *path, const Buffer *content, mode_t mode);

/** update_file() - replace_file() if the file does not have these bytes. Return: 1; 0 if it has them; or -errno. */
int update_file(const Root *root, const char *path, const Buffer *content, mode_t mode);

/**
 * write_attribute() - write a value to a kernel attribute in place
 * @root: the root
 * @path: the attribute; must exist
 * @value: the text without a newline
 *
 * Return: 0; -errno of the kernel; -EROFS if the path is foreign; -EOPNOTSUPP if it is no regular file.
 */
int write_attribute(const Root *root, const char *path, const char *value);
