/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A service's unit file with its drop-ins, merged as the service manager merges them (systemd.unit(5);
 * systemd: src/shared/conf-parser.c, src/shared/dropin.c). Of its settings only those are kept that decide
 * which command line it runs.
 */

#include "core/root.h"

/* Limits of what is read: bytes in a file, drop-ins, and settings over all files. */
#define UNIT_FILE_MAX (1024U * 1024U)
#define UNIT_DROP_INS_MAX 256U
#define UNIT_SETTINGS_MAX 4096U

typedef struct UnitSetting {
        char *key;     /* "ExecStart", … */
        char *value;   /* continuation lines joined */
        char *file;
        unsigned line; /* where it begins, from 1 */
} UnitSetting;

typedef struct Unit {
        char *name;
        bool masked;
        char *fragment;        /* path of the unit file; NULL: there is none */
        char **drop_ins;       /* paths in the order in which they count */
        size_t n_drop_ins;
        UnitSetting *settings; /* what an empty assignment took back is left out */
        size_t n_settings;
        char *exec_file;       /* the last file that says something of ExecStart, be it only to take it back */
        char *problem;         /* why it may not be what the manager makes of it; NULL: it is */
} Unit;

/**
 * unit_read() - read a service
 * @root: the root
 * @name: of the unit, with its suffix
 * @path: a drop-in whose bytes are not to be read but known
 * @text: those bytes; NULL: as if it were not there
 * @ret: takes the unit, also where there is none; the caller calls unit_done()
 *
 * Return: 0 or -ENOMEM. A file that cannot be read is a problem of the unit.
 */
int unit_read(const Root *root, const char *name, const char *path, const char *text, Unit *ret);

/** unit_done() - release what unit_read() filled in */
void unit_done(Unit *unit);
#define _cleanup_unit_ _cleanup_(unit_done)

/**
 * unit_file_is_newer() - whether a file changed after a process began, so that the process has not read it so
 * @root: the root; in one that is not live, when a file came there says nothing, and only its own time counts
 * @path: of the file
 * @started: when the process began, in microseconds since the epoch; 0: not known, and nothing is newer
 */
bool unit_file_is_newer(const Root *root, const char *path, uint64_t started);

/** unit_text_is_utf8() - whether a text is valid UTF-8 */
bool unit_text_is_utf8(const char *s) _pure_;

/**
 * unit_parse() - read the text of one file into a unit
 * @unit: takes the settings
 * @path: of the file
 * @text: its bytes
 * @size: how many
 *
 * Return: 0; -EBADMSG where the manager would stop reading; -E2BIG beyond UNIT_SETTINGS_MAX; -ENOMEM.
 */
int unit_parse(Unit *unit, const char *path, const char *text, size_t size);

/** unit_setting() - the only setting of a key; NULL where there is none or more than one, *ret_n says how many */
const UnitSetting *unit_setting(const Unit *unit, const char *key, size_t *ret_n);
