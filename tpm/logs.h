/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The event logs as files: the firmware's from the kernel, and systemd's.
 */

#include "core/root.h"
#include "tpm/eventlog.h"
#include "tpm/fault.h"

#define FIRMWARE_LOG_PATH "/sys/kernel/security/tpm0/binary_bios_measurements"
#define USERSPACE_LOG_PATH "/run/log/systemd/tpm2-measure.log"

typedef struct Logs {
        EventLog *firmware;  /* NULL: absent */
        EventLog *userspace; /* NULL: absent */
        Fault fault;         /* why one of them is EVENT_LOG_UNREADABLE; desc is NULL where none is */
} Logs;

/**
 * logs_read() - read both logs
 * @root: the root
 * @ret: takes them; the caller calls logs_done()
 *
 * The kernel's file says that it has no size, so it is read to its end, and to 4 MiB at most. A log that cannot be
 * read is a log too. Return: 0 or -ENOMEM.
 */
int logs_read(const Root *root, Logs *ret);

/** logs_done() - release the logs */
void logs_done(Logs *logs);
#define _cleanup_logs_ _cleanup_(logs_done)

/**
 * logs_page() - some of the events of both logs, in the order in which they happened
 * @logs: the logs
 * @offset: the first event, from 0
 * @limit: how many at most
 * @ret: takes {"logs": {"firmware": {"path", "status", "format", "reason", "events"}, "userspace": …},
 *       "events": [as event_to_json(), and "log"], "offset", "total", "next"}
 *
 * "next" is the offset of what did not fit, or null; an answer stays below 200 KiB. Return: 0 or -ENOMEM.
 */
int logs_page(const Logs *logs, uint32_t offset, uint32_t limit, json_object **ret);
