/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The firmware's event log lists the measurements and their PCRs. The kernel provides it as binary_bios_measurements
 * (TCG PC Client Platform Firmware Profile 1.05, section 10). The bytes may be hostile: each length and count is
 * checked, and a defect sets the status of the log; it is no error of the function.
 */

#include "tpm/pcrs.h"

#define EVENT_LOG_SIZE_MAX (4U * 1024 * 1024)
#define EVENT_LOG_EVENTS_MAX 65536U

/* The event types that this library looks at (the profile's table of events). */
enum {
        EV_POST_CODE = 0x00000001,
        EV_NO_ACTION = 0x00000003,
        EV_SEPARATOR = 0x00000004,
        EV_ACTION = 0x00000005,
        EV_EVENT_TAG = 0x00000006,
        EV_S_CRTM_VERSION = 0x00000008,
        EV_IPL = 0x0000000D,
        EV_IPL_PARTITION_DATA = 0x0000000E,
        EV_POST_CODE2 = 0x00000013,
};
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001U
#define EV_EFI_VARIABLE_BOOT 0x80000002U
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003U
#define EV_EFI_BOOT_SERVICES_DRIVER 0x80000004U
#define EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005U
#define EV_EFI_GPT_EVENT 0x80000006U
#define EV_EFI_ACTION 0x80000007U
#define EV_EFI_PLATFORM_FIRMWARE_BLOB 0x80000008U
#define EV_EFI_PLATFORM_FIRMWARE_BLOB2 0x8000000AU
#define EV_EFI_VARIABLE_BOOT2 0x8000000CU
#define EV_EFI_GPT_EVENT2 0x8000000DU
#define EV_EFI_HCRTM_EVENT 0x80000010U
#define EV_EFI_VARIABLE_AUTHORITY 0x800000E0U

typedef enum EventLogFormat {
        EVENT_LOG_SHA1,         /* the layout of TPM 1.2: SHA-1 digests only */
        EVENT_LOG_CRYPTO_AGILE, /* a digest for each bank */
        EVENT_LOG_USERSPACE,    /* systemd's log, see userspace-log.h */
        _EVENT_LOG_FORMAT_MAX,
} EventLogFormat;

typedef enum EventLogStatus {
        EVENT_LOG_COMPLETE,   /* the whole log was read */
        EVENT_LOG_EMPTY,      /* it has no event, and counts as no log */
        EVENT_LOG_TRUNCATED,  /* it ends inside the last record */
        EVENT_LOG_MALFORMED,  /* it has an invalid record */
        EVENT_LOG_UNREADABLE, /* it exists, and could not be read */
        _EVENT_LOG_STATUS_MAX,
} EventLogStatus;

/* A measurement. The pointers point into the memory of the log. */
typedef struct Event {
        uint32_t pcr;    /* below PCR_COUNT; any number if type is EV_NO_ACTION, which extends nothing */
        uint32_t type;   /* EV_…; 0 in a userspace log */
        size_t offset;   /* of its record in the log, in bytes */
        const uint8_t *digests[_ALGORITHM_MAX]; /* NULL: the log has none for this bank */
        const uint8_t *data; /* says what was measured; hostile, see event_text() */
        size_t size;         /* of data, in bytes */
        const char *kind;    /* of a userspace event: "phase", "machine-id", …; NULL for the firmware's */
} Event;

typedef struct EventLog {
        EventLogFormat format;
        EventLogStatus status;
        char *reason;    /* the defect, as a part of a sentence; NULL: none */
        size_t offset;   /* of the defect, in bytes */
        uint32_t banks;  /* algorithms of the digests, one bit each */
        Event *events;   /* the events before the defect */
        size_t n_events;
        uint8_t *memory; /* the events point into it */
        size_t size;     /* of the log as it was read, in bytes */
} EventLog;

/**
 * eventlog_parse() - read a firmware event log
 * @data: the bytes; not needed afterwards
 * @size: the number of bytes; more than EVENT_LOG_SIZE_MAX make a malformed log without events
 * @ret: takes the log; the caller frees it
 *
 * The first record tells the layout. Zero bytes after the last record are unused space of a complete log. The events
 * before a defect are kept. Return: 0 or -ENOMEM.
 */
int eventlog_parse(const void *data, size_t size, EventLog **ret);

/**
 * eventlog_new_unreadable() - make a log that exists and could not be read
 * @format: the format that the log would have
 * @reason: the reason, as "larger than 4 MiB"; copied
 * @ret: takes the log; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
int eventlog_new_unreadable(EventLogFormat format, const char *reason, EventLog **ret);

/** eventlog_free() - release a log; NULL is ignored */
EventLog *eventlog_free(EventLog *log);
DEFINE_CLEANUP(EventLog *, eventlog_free);

/** event_extends() - whether an event changed a PCR: every event but EV_NO_ACTION */
bool event_extends(const Event *event) _pure_;

/** eventlog_usable() - whether a log is complete and not empty; false for NULL */
bool eventlog_usable(const EventLog *log) _pure_;

/**
 * eventlog_startup_locality() - the last byte of PCR 0 before the first event
 *
 * It is the number in the StartupLocality event (3 or 4), 4 after an H-CRTM event, otherwise 0 (PFP 10.4.5.3).
 */
uint8_t eventlog_startup_locality(const EventLog *log) _pure_;

/** eventlog_status_to_string() - "complete", "empty", "truncated", "malformed", "unreadable" */
const char *eventlog_status_to_string(EventLogStatus status) _const_;

/** eventlog_format_to_string() - "sha1", "crypto-agile", "userspace" */
const char *eventlog_format_to_string(EventLogFormat format) _const_;
