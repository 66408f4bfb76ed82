/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel's own log lines of this boot, as far as they match what practices want to know.
 */

#include "core/json.h"
#include "core/root.h"

/* How far back the kernel log reaches. */
typedef enum LogReach {
        LOG_COMPLETE,   /* to the first line of this boot */
        LOG_WRAPPED,    /* the beginning is lost */
        LOG_UNREADABLE, /* no permission */
        LOG_ABSENT,     /* there is none, as of an image */
        _LOG_REACH_MAX,
        _LOG_REACH_INVALID = -EINVAL,
} LogReach;

typedef struct KernelLog {
        char **lines; /* oldest first, without prefix; NULL-terminated; NULL: none */
        size_t n_lines;
        LogReach reach;
} KernelLog;

#define KERNEL_LOG_NULL ((KernelLog) {.reach = LOG_ABSENT})

/** kernel_log_done() - release the lines */
void kernel_log_done(KernelLog *log);

/**
 * kernel_log_read() - read the lines of this boot from the ring buffer or, if that has wrapped, from the journal
 * @log: takes the lines that match, and how far they reach
 * @patterns: what a line must contain one of to be kept; NULL-terminated
 *
 * Only lines of the kernel facility count: anybody who may write /dev/kmsg can write the same words with another
 * facility (Linux: kernel/printk/printk.c, devkmsg_write() never grants facility 0). Return: 0 or -ENOMEM.
 */
int kernel_log_read(KernelLog *log, const char *const *patterns);

/** kernel_log_line() - the last line that begins with a text, or NULL; others may quote a user's words */
const char *kernel_log_line(const KernelLog *log, const char *text) _pure_;

/** kernel_log_find() - the last line that contains a text, or NULL */
const char *kernel_log_find(const KernelLog *log, const char *text) _pure_;

/** kernel_log_to_json() - {"lines", "reach"}. Return: 0 or -ENOMEM. */
int kernel_log_to_json(const KernelLog *log, json_object **ret);

/** kernel_log_from_json() - read such an object into a log that is empty. Return: 0, -EBADMSG or -ENOMEM. */
int kernel_log_from_json(json_object *o, KernelLog *log);

/**
 * kernel_log_keep() - keep the lines in a file, if they are complete and no file is there yet
 * @root: the root
 * @path: the file, which a reboot must remove
 * @log: the lines
 *
 * The boot unit does it while the ring buffer still has all lines: the daemon sees no journal, so the file is all that it
 * has when the ring has wrapped. Return: 0 or -errno.
 */
int kernel_log_keep(const Root *root, const char *path, const KernelLog *log);

/** kernel_log_recall() - put the kept lines before those of a log that is not complete. Return: 0 or -ENOMEM. */
int kernel_log_recall(const Root *root, const char *path, KernelLog *log);
