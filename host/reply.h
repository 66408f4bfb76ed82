/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a guest sends, made into replies. Nothing here does any input or output, and no byte is trusted.
 */

#include "core/buffer.h"
#include "core/json.h"
#include "host/outcome.h"

/* The longest line that is taken from a guest. */
#define REPLY_LINE_MAX (1024U * 1024U)

/* The longest line that may be the answer to a sync; longer ones are dropped while they arrive. */
#define REPLY_SYNC_MAX 256U

/* How many values, and how many arrays and objects, a line may hold. A value takes 80 bytes in memory, an empty object
 * 1 kB, so that 1 MiB of "{}," would take 350 MB. */
#define REPLY_VALUES_MAX 100000U
#define REPLY_CONTAINERS_MAX 10000U

/* Cuts a stream of bytes into lines. A byte 0xFF throws away the part of the line that is before it. */
typedef struct LineReader {
        Buffer line;    /* the line so far */
        bool synced;    /* set by the owner; before, only what follows an 0xFF counts */
        bool delimited; /* this line had an 0xFF */
        bool complete;  /* the line was handed out, and the next call drops it */
} LineReader;

/**
 * line_reader_next() - take bytes up to the end of a line
 * @reader: the reader
 * @data: what was received; advanced past what was taken
 * @size: bytes in data; lowered likewise
 *
 * Empty lines are skipped. Return: 1 and the line is in reader->line, without its newline, until the next call; 0 when
 * all bytes were taken; -EMSGSIZE for a line over REPLY_LINE_MAX; -ENOMEM.
 */
int line_reader_next(LineReader *reader, const char **data, size_t *size);

/** line_reader_done() - release the memory */
void line_reader_done(LineReader *reader);

typedef enum ReplyKind {
        REPLY_OTHER,  /* an object of no known kind */
        REPLY_RETURN, /* value is what was returned */
        REPLY_ERROR,  /* value is the error object, class and desc its members */
        REPLY_EVENT,  /* value is its data, event its name */
} ReplyKind;

typedef struct Reply {
        ReplyKind kind;
        json_object *object; /* the whole line */
        json_object *value;  /* part of object; NULL for JSON null */
        const char *event;   /* part of object, without NUL bytes */
        bool has_id;
        int64_t id;          /* valid where has_id is set: the id was an integer */
} Reply;

/**
 * reply_check() - whether a line is worth parsing
 * @text: the line
 * @size: its length
 *
 * Stricter than json-c: no NaN, no Infinity, no control bytes in strings, only the numbers that JSON knows, and bounds
 * on nesting and on the number of values. What passes here and parses can be printed again as valid JSON.
 *
 * Return: CAUSE_NONE, CAUSE_NOT_JSON, CAUSE_TOO_DEEP or CAUSE_TOO_MANY_VALUES.
 */
Cause reply_check(const char *text, size_t size);

/**
 * reply_parse() - make a reply of a line
 * @text: the line
 * @size: its length
 * @ret: takes the reply; release it with reply_done()
 *
 * Return: 0; a Cause (see reply_check(), and CAUSE_NOT_A_REPLY) where it is none; -ENOMEM.
 */
int reply_parse(const char *text, size_t size, Reply *ret);

/** reply_done() - release a reply */
void reply_done(Reply *reply);
#define _cleanup_reply_ _cleanup_(reply_done)
