/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The log of systemd's measurements, /run/log/systemd/tpm2-measure.log. It is a sequence of JSON texts similar to the
 * TCG's Canonical Event Log (CEL-JSON), each after a byte 0x1E (RFC 7464). systemd 255 and later write it, and it is
 * replayed after the firmware's log. From systemd 261 on it also has the "os-separator" of PCR 0-7, 9 and 12-14.
 */

#include "tpm/eventlog.h"

/**
 * userspace_log_parse() - read systemd's measurement log
 * @data: the bytes; not needed afterwards
 * @size: the number of bytes; more than EVENT_LOG_SIZE_MAX make a malformed log without events
 * @ret: takes the log, of the format EVENT_LOG_USERSPACE; the caller frees it
 *
 * Each record becomes an event: "kind" is its eventType (empty if it has none), and the data are its "string". Records
 * of NV indexes and of the registers of confidential guests have "nv_index" or "rtmr" in place of "pcr"; they extend no
 * PCR and are left out. The events before a defect are kept. Return: 0 or -ENOMEM.
 */
int userspace_log_parse(const void *data, size_t size, EventLog **ret);
