/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines of the kernel log of this boot that practices look for.
 */

#include "core/json.h"
#include "core/root.h"

/* How far back the kernel log reaches. */
typedef enum LogReach {
        LOG_COMPLETE,   /* to the first line of this boot */
        LOG_WRAPPED,    /* the first lines of this boot are lost */
        LOG_UNREADABLE, /* this process has no permission to read it */
        LOG_ABSENT,     /* there is no log, as in an image */
        _LOG_REACH_MAX,
        _LOG_REACH_INVALID = -EINVAL,
} LogReach;

typedef struct KernelLog {
        char **lines; /* oldest first, without time and level; NULL-terminated; NULL: there are none */
        size_t n_lines;
        LogReach reach;
} KernelLog;

#define KERNEL_LOG_NULL ((KernelLog) {.reach = LOG_ABSENT})

/** kernel_log_done() - release the lines; the log is KERNEL_LOG_NULL afterwards */
void kernel_log_done(KernelLog *log);

/**
 * kernel_log_read() - read the lines of this boot from the ring buffer or, if that has wrapped, from the journal
 * @log: takes the lines that match, and how far they reach
 * @patterns: texts; a line is kept if it contains one of them; NULL-terminated
 *
 * Only lines of the kernel itself (facility 0) are read. A process that may write to /dev/kmsg can write the same
 * words, but only with another facility (Linux: kernel/printk/printk.c, devkmsg_write()). Return: 0 or -ENOMEM.
 */
int kernel_log_read(KernelLog *log, const char *const *patterns);

/** kernel_log_follow() - open the ring buffer after its last line. Return: a descriptor, or -errno. */
int kernel_log_follow(void);

/**
 * kernel_log_has_news() - whether lines that matter have come since the last call
 * @fd: of kernel_log_follow()
 * @patterns: as kernel_log_read()
 *
 * Return: true also if lines were lost before they were read.
 */
bool kernel_log_has_news(int fd, const char *const *patterns);

/**
 * kernel_log_line() - find the last line that begins with a text
 * @log: the log
 * @text: the text
 *
 * In the middle of a line, the kernel may quote words of a user, such as the name of a program. Return: the line, which
 * the log owns, or NULL.
 */
const char *kernel_log_line(const KernelLog *log, const char *text) _pure_;

/** kernel_log_find() - find the last line that contains a text. Return: the line, which the log owns, or NULL. */
const char *kernel_log_find(const KernelLog *log, const char *text) _pure_;

/** kernel_log_to_json() - make the object {"lines", "reach"}; the caller puts it. Return: 0 or -ENOMEM. */
int kernel_log_to_json(const KernelLog *log, json_object **ret);

/** kernel_log_from_json() - read such an object into a log that is empty. Return: 0, -EBADMSG or -ENOMEM. */
int kernel_log_from_json(json_object *o, KernelLog *log);

/**
 * kernel_log_keep() - keep the lines in a file, if they are complete and there is no file yet
 * @root: the root
 * @path: the file; it must be in a directory that a reboot empties, because its lines are those of this boot
 * @log: the lines
 *
 * The boot unit calls this while the ring buffer still has all lines. The daemon cannot read the journal, so this file
 * is its only source after the ring buffer has wrapped. Return: 0 or -errno.
 */
int kernel_log_keep(const Root *root, const char *path, const KernelLog *log);

/**
 * kernel_log_recall() - put the lines that kernel_log_keep() kept in front of those of an incomplete log
 * @root: the root
 * @path: the file
 * @log: the log; unchanged if it is complete or the file cannot be read
 *
 * Return: 0 or -ENOMEM.
 */
int kernel_log_recall(const Root *root, const char *path, KernelLog *log);
