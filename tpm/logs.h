/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files of the two event logs, the firmware's log of the kernel and systemd's log. Tests:
 * tests/unit/tpm/test-sysfs.c.
 */

#include "core/root.h"
#include "tpm/eventlog.h"
#include "tpm/fault.h"

#define FIRMWARE_LOG_PATH "/sys/kernel/security/tpm0/binary_bios_measurements"
#define USERSPACE_LOG_PATH "/run/log/systemd/tpm2-measure.log"

typedef struct Logs {
        EventLog *firmware;  /* NULL: absent */
        EventLog *userspace; /* NULL: absent */
        Fault fault;         /* the reason for EVENT_LOG_UNREADABLE; desc is NULL if both logs were read */
} Logs;

/**
 * logs_read() - read both logs
 * @root: the root
 * @ret: takes the logs; the caller calls logs_done()
 *
 * The size of the kernel's file is given as 0, so the file is read to its end, but not beyond 4 MiB. A log that cannot
 * be read becomes a log of the status EVENT_LOG_UNREADABLE. Return: 0 or -ENOMEM.
 */
int logs_read(const Root *root, Logs *ret);

/** logs_done() - release the logs */
void logs_done(Logs *logs);
#define _cleanup_logs_ _cleanup_(logs_done)

/**
 * logs_page() - make a page of the events of both logs, in the order in which they happened
 * @logs: the logs
 * @offset: the first event, from 0
 * @limit: the largest number of events
 * @ret: takes {"logs": {"firmware": {"path", "status", "format", "reason", "events"}, "userspace": …},
 *       "events": [as event_to_json(), and "log"], "offset", "total", "next"}
 *
 * "next" is the offset of the next page, or null; an answer is smaller than 200 KiB. Return: 0 or -ENOMEM.
 */
int logs_page(const Logs *logs, uint32_t offset, uint32_t limit, json_object **ret);
