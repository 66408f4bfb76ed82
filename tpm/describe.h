/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Events in words. What an event says of itself is hostile text: it is bounded, and everything but printable ASCII is
 * escaped.
 */

#include "tpm/eventlog.h"

/* The most characters in a description. */
#define EVENT_DESCRIPTION_MAX 1024U

/* Whether the digest of an event proves its text. */
typedef enum EventText {
        EVENT_TEXT_VERIFIED, /* the text is what was hashed */
        EVENT_TEXT_DIFFERS,  /* events of this type mostly hash their text, and this one does not */
        EVENT_TEXT_UNPROVEN, /* events of this type hash something else: an image, a file, a firmware volume */
        _EVENT_TEXT_MAX,
} EventText;

/** event_type_to_string() - "EV_SEPARATOR", or "unknown" */
const char *event_type_to_string(uint32_t type) _const_;

/** event_type_name() - the same for an event; of systemd's it is "systemd", for a row in a table */
const char *event_type_name(const Event *event) _pure_;

/**
 * event_describe() - what was measured, for a person
 * @event: the event
 * @b: takes at most EVENT_DESCRIPTION_MAX characters of printable ASCII, appended
 *
 * As "Secure Boot is on", "GRUB command: linux /vmlinuz …" or "systemd phase: enter-initrd". Return: 0 or -ENOMEM.
 */
int event_describe(const Event *event, Buffer *b);

/**
 * event_text() - whether the text of an event is proven by its digest
 * @event: the event
 * @bank: whose digest counts
 * @ret: takes the answer
 *
 * GRUB hashes its strings without "grub_cmd: " and the like. It is never a reason to fail a replay: some firmware
 * hashes only a part of the text. Return: 0, or as algorithm_hash().
 */
int event_text(const Event *event, Algorithm bank, EventText *ret);

/** event_text_to_string() - "verified", "differs", "unproven" */
const char *event_text_to_string(EventText text) _const_;

/** event_secure_boot() - what a SecureBoot variable event says. Return: 1 on, 0 off, -ENOENT: another event. */
int event_secure_boot(const Event *event) _pure_;

/**
 * event_to_json() - an event as an object
 * @event: the event
 * @number: its place in the list of all events, from 0
 * @bank: whose digest proves the text; _ALGORITHM_INVALID: "text" is null
 * @ret: takes {"number", "pcr", "type", "type_name", "digests": {bank: hex}, "size", "description", "text"}
 *
 * "text" is what event_text_to_string() says. "pcr" and "type" are numbers. One event takes at most 3 KiB.
 * Return: 0 or -ENOMEM.
 */
int event_to_json(const Event *event, size_t number, Algorithm bank, json_object **ret);
