/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The file qemu-ga.conf, a GKeyFile, as qemu-ga reads it (QEMU: qga/main.c, config_load(); GLib: gkeyfile.c).
 */

#include "qga-policy/binary.h"

/* One list of RPCs in the file. */
typedef struct QgaConfList {
        const char *key; /* "block-rpcs", "blacklist" or "allow-rpcs"; NULL: not set */
        unsigned line;   /* from 1 */
        Names names;
} QgaConfList;

typedef struct QgaConf {
        char *path;
        QgaConfList block, allow;
        QgaConfList ignored; /* a list that this qemu-ga ignores without a word */
        char *state;         /* directory for its state; NULL: not set */
        char *problem;       /* why qemu-ga does not start with the file, or why gtuned cannot know; NULL: none */
} QgaConf;

/**
 * qga_conf_read() - read the file
 * @root: the root
 * @path: the file; if it does not exist, it counts as empty
 * @binary: what the qemu-ga in question understands
 * @ret: takes the answer; the caller calls qga_conf_done()
 *
 * Return: 0 or -ENOMEM.
 */
int qga_conf_read(const Root *root, const char *path, const QgaBinary *binary, QgaConf *ret);

/** qga_conf_parse() - parse the text of a qemu-ga.conf; the caller has set ret->path. Return: 0 or -ENOMEM. */
int qga_conf_parse(const char *text, const QgaBinary *binary, QgaConf *ret);

/** qga_conf_done() - release what qga_conf_read() filled in */
void qga_conf_done(QgaConf *conf);
#define _cleanup_qga_conf_ _cleanup_(qga_conf_done)
