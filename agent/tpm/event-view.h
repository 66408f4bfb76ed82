/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An event in an answer of gtune-tpm, and its row in a table for people. Tests:
 * tests/unit/agent/tpm/test-moving-pcrs.c.
 */

#include "core/json.h"

/* The texts belong to the JSON object, and are printable ASCII. */
typedef struct EventView {
        uint64_t number; /* its place in the list of all events, from 0 */
        uint64_t pcr;    /* any number if the event extends nothing */
        const char *type, *description;
        const char *text; /* whether its digest proves the description: "verified", "differs", "unproven", or NULL */
        bool extends;     /* the event changed its PCR */
} EventView;

/** event_view() - read an event. Return: 0, or -EBADMSG if it is not of the documented form. */
int event_view(json_object *event, EventView *ret);

/** event_header() - append the header of the table. Return: 0 or -ENOMEM. */
int event_header(Buffer *b);

/** event_row() - append an event as a row of the table, at most 80 columns wide. Return: 0 or -ENOMEM. */
int event_row(const EventView *event, Buffer *b);
