/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd measured after the firmware: /run/log/systemd/tpm2-measure.log, JSON texts in the manner of the TCG's
 * Canonical Event Log (CEL-JSON), each with the byte 0x1E before it (RFC 7464). systemd 255 and later write it; it
 * replays after the firmware's log. From 261 on it also holds the "os-separator" of PCR 0-7, 9 and 12-14.
 */

#include "tpm/eventlog.h"

/**
 * userspace_log_parse() - read systemd's measurement log
 * @data: the bytes; not needed afterwards
 * @size: how many; more than EVENT_LOG_SIZE_MAX give a malformed log without events
 * @ret: takes the log, of the format EVENT_LOG_USERSPACE; the caller frees it
 *
 * Each record becomes an event: "kind" is its eventType (empty where it has none), the data its "string". Records of
 * NV indexes and of the registers of confidential guests (they have "nv_index" or "rtmr" in place of "pcr") touch no
 * PCR and are left out. What was read before a defect is kept. Return: 0 or -ENOMEM.
 */
int userspace_log_parse(const void *data, size_t size, EventLog **ret);
