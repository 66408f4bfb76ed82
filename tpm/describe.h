/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Events as sentences for people. The data of an event are hostile: a description has a maximum length, and all but
 * printable ASCII is escaped.
 */

#include "tpm/eventlog.h"

/* The largest number of characters in a description. */
#define EVENT_DESCRIPTION_MAX 1024U

/* Whether the digest of an event proves its text. */
typedef enum EventText {
        EVENT_TEXT_VERIFIED, /* the digest is the hash of the text */
        EVENT_TEXT_DIFFERS,  /* most events of this type hash their text, and this event does not */
        EVENT_TEXT_UNPROVEN, /* events of this type hash something else: an image, a file, a firmware volume */
        _EVENT_TEXT_MAX,
} EventText;

/** event_type_to_string() - the name of a type, as "EV_SEPARATOR", or "unknown" */
const char *event_type_to_string(uint32_t type) _const_;

/** event_type_name() - event_type_to_string() of an event; "systemd" for systemd's events */
const char *event_type_name(const Event *event) _pure_;

/**
 * event_describe() - describe what was measured
 * @event: the event
 * @b: takes at most EVENT_DESCRIPTION_MAX characters of printable ASCII, appended
 *
 * As "Secure Boot is on", "GRUB command: linux /vmlinuz …" or "systemd phase: enter-initrd". Return: 0 or -ENOMEM.
 */
int event_describe(const Event *event, Buffer *b);

/**
 * event_text() - whether the text of an event is proven by its digest
 * @event: the event
 * @bank: the bank of the digest
 * @ret: takes the answer
 *
 * GRUB hashes its texts without the prefix, as "grub_cmd: ", and systemd-stub its UTF-16 without the NUL. A text that
 * differs does not make a replay fail: some firmware hashes only a part of the text. Return: 0, or as algorithm_hash().
 */
int event_text(const Event *event, Algorithm bank, EventText *ret);

/** event_text_to_string() - "verified", "differs", "unproven" */
const char *event_text_to_string(EventText text) _const_;

/** event_secure_boot() - read the event of the variable SecureBoot. Return: 1 on, 0 off, -ENOENT: another event. */
int event_secure_boot(const Event *event) _pure_;

/**
 * event_to_json() - make an object of an event
 * @event: the event
 * @number: its place in the list of all events, from 0
 * @bank: the bank of the digest that proves the text; _ALGORITHM_INVALID: "text" is null
 * @ret: takes {"number", "pcr", "type", "type_name", "digests": {bank: hex}, "size", "description", "text"}
 *
 * "text" is event_text_to_string(). "pcr" and "type" are numbers. One event takes at most 3 KiB.
 * Return: 0 or -ENOMEM.
 */
int event_to_json(const Event *event, size_t number, Algorithm bank, json_object **ret);
