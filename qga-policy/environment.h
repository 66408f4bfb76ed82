/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The variables that a unit gives its service: those of Environment=, and those of the files of EnvironmentFile=, which
 * take precedence (systemd.exec(5)).
 */

#include "qga-policy/unit-file.h"

#define ENVIRONMENT_VARIABLES_MAX 1024U

typedef struct EnvironmentVariable {
        char *name, *value;
        char *file;
        unsigned line; /* from 1 */
} EnvironmentVariable;

typedef struct Environment {
        EnvironmentVariable *list;
        size_t n;
        bool stale;    /* a file changed after the process began, so the variables of the process are not known */
        char *problem; /* why the service manager may see other variables; NULL: it sees these */
} Environment;

/**
 * environment_read() - the variables of a unit
 * @root: the root
 * @unit: the unit
 * @ret: takes the variables; the caller calls environment_done()
 *
 * Return: 0 or -ENOMEM.
 */
int environment_read(const Root *root, const Unit *unit, Environment *ret);

/**
 * environment_read_process() - the variables of a process that runs
 * @root: the root
 * @unit: its unit
 * @list: the strings NAME=VALUE of Environment= as the service manager has them, NULL-terminated or NULL
 * @started: when the process began, as for unit_file_is_newer(); 0: unknown, and the files count as they are now
 * @ret: takes the variables; the caller calls environment_done()
 *
 * Return: 0 or -ENOMEM.
 */
int environment_read_process(const Root *root, const Unit *unit, char *const *list, uint64_t started,
                             Environment *ret);

/** environment_done() - release the variables */
void environment_done(Environment *e);
#define _cleanup_environment_ _cleanup_(environment_done)

/** environment_get() - the variable whose name is the first @size bytes of @name, or NULL */
const EnvironmentVariable *environment_get(const Environment *e, const char *name, size_t size) _pure_;

/**
 * environment_parse_file() - read the text of an EnvironmentFile= (systemd: src/basic/env-file.c)
 * @e: takes the variables
 * @path: the file
 * @text: its bytes
 * @size: their number
 *
 * Return: 0 or -ENOMEM.
 */
int environment_parse_file(Environment *e, const char *path, const char *text, size_t size);

/**
 * unit_expand_specifiers() - expand the "%" specifiers in a setting (systemd.unit(5), "Specifiers")
 * @unit: name of the unit
 * @text: the text
 *
 * Specifiers that depend on the running machine stay as they are. Return: a new string; NULL if memory is exhausted.
 */
char *unit_expand_specifiers(const char *unit, const char *text);
