/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A service's unit file with its drop-ins, merged as the service manager merges them (systemd.unit(5); systemd:
 * src/shared/conf-parser.c, src/shared/dropin.c). Only the settings that decide which command line it runs are kept.
 */

#include "core/root.h"

/* Limits: bytes of a file, number of drop-ins, and number of settings in all files. */
#define UNIT_FILE_MAX (1024U * 1024U)
#define UNIT_DROP_INS_MAX 256U
#define UNIT_SETTINGS_MAX 4096U

typedef struct UnitSetting {
        char *key;     /* "ExecStart", … */
        char *value;   /* continuation lines joined */
        char *file;
        unsigned line; /* its first line, from 1 */
} UnitSetting;

typedef struct Unit {
        char *name;
        bool masked;
        char *fragment;        /* path of the unit file; NULL: none exists */
        char **drop_ins;       /* their paths, in the order in which they are read */
        size_t n_drop_ins;
        UnitSetting *settings; /* without those that an empty assignment reset */
        size_t n_settings;
        char *exec_file;       /* the last file that assigns ExecStart, even if only to reset it */
        char *problem;         /* why the service manager may read the unit differently; NULL: it reads the same */
} Unit;

/**
 * unit_read() - read a service
 * @root: the root
 * @name: of the unit, with its suffix
 * @path: a drop-in that is not read, because the caller gives its text; NULL: read every drop-in
 * @text: the text of that drop-in; NULL: as if the drop-in did not exist
 * @ret: takes the unit, even if no file of it exists; the caller calls unit_done()
 *
 * Return: 0 or -ENOMEM. A file that cannot be read, or a folder of drop-ins that cannot be listed, is a problem of the
 * unit.
 */
int unit_read(const Root *root, const char *name, const char *path, const char *text, Unit *ret);

/**
 * unit_list() - list the unit files of all services
 * @root: the root
 * @ret: takes their paths, the directories of higher precedence first; the caller calls strv_free()
 *
 * Of a name only the first file is listed, and none of a directory that cannot be listed. Return: the number of paths,
 * or -ENOMEM.
 */
int unit_list(const Root *root, char ***ret);

/** unit_done() - release what unit_read() filled in */
void unit_done(Unit *unit);
#define _cleanup_unit_ _cleanup_(unit_done)

/**
 * unit_file_is_newer() - whether a file changed after a process began, so that the process has not read this content
 * @root: the root; in a root that is not live only the time of modification counts, because the change time (ctime) is
 *        that of the copy
 * @path: the file
 * @started: when the process began, in microseconds since the epoch; 0: unknown, and then no file counts as newer
 */
bool unit_file_is_newer(const Root *root, const char *path, uint64_t started);

/** unit_text_is_utf8() - whether a text is valid UTF-8 */
bool unit_text_is_utf8(const char *s) _pure_;

/**
 * unit_parse() - read the text of one file into a unit
 * @unit: takes the settings
 * @path: the file
 * @text: its bytes
 * @size: their number
 *
 * Return: 0; -EBADMSG if the service manager would stop reading; -E2BIG if there are more than UNIT_SETTINGS_MAX
 * settings; -ENOMEM.
 */
int unit_parse(Unit *unit, const char *path, const char *text, size_t size);

/** unit_setting() - the only setting of a key; NULL if there are none or several; *ret_n takes their number */
const UnitSetting *unit_setting(const Unit *unit, const char *key, size_t *ret_n);
