/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The protocol of the channel without any input or output: bytes become requests, answers become lines. It is the
 * dialect of the QEMU guest agent, read strictly. Every byte comes from the host and is hostile.
 *
 * A request is complete when its braces balance. The text is checked as it arrives, so that garbage is known at the
 * first wrong byte: it is answered by one error, and then everything is discarded up to the next newline or 0xFF.
 */

#include "core/buffer.h"
#include "core/json-scan.h"

#define FRAME_SIZE_MAX (64U * 1024U) /* bytes of one request */
#define FRAME_DEPTH_MAX 32U             /* braces and brackets */
#define FRAME_HALF_USEC (10U * 1000000U) /* how long a half request may wait for its rest */

typedef enum FrameEvent {
        FRAME_MORE,    /* all bytes are taken, and no request is complete */
        FRAME_REQUEST, /* frame_reader_text() is a whole request, until the next call */
        FRAME_GARBAGE, /* frame_reader_error() says why; answer it once */
        FRAME_FLUSH,   /* the byte 0xFF: the host starts afresh */
} FrameEvent;

typedef struct FrameReader {
        Buffer text;          /* the request so far */
        uint64_t deadline;    /* when a half request is dropped; UINT64_MAX: there is none */
        JsonScan scan;
        size_t string;        /* where the string that is being read begins in text */
        bool complete;        /* text is to be dropped at the next call */
        bool discarding;
        const char *error;
} FrameReader;

#define FRAME_READER_NULL ((FrameReader) {.scan = JSON_SCAN_INIT(FRAME_DEPTH_MAX), .deadline = UINT64_MAX})

/**
 * frame_reader_feed() - take bytes of the host up to the first thing that needs an answer
 * @c: the channel
 * @data: the bytes
 * @size: how many
 * @now: the time in microseconds, any clock
 * @ret_used: takes how many of them were taken
 *
 * Return: a FrameEvent, or -ENOMEM.
 */
int frame_reader_feed(FrameReader *c, const char *data, size_t size, uint64_t now, size_t *ret_used);

/** frame_reader_text() - the request that the last FRAME_REQUEST was about */
static inline Span frame_reader_text(const FrameReader *c) {
        return SPAN_BUFFER(c->text);
}

/** frame_reader_error() - the description for the last FRAME_GARBAGE */
static inline const char *frame_reader_error(const FrameReader *c) {
        return c->error;
}

/** frame_reader_half() - whether a request was begun and is not complete */
static inline bool frame_reader_half(const FrameReader *c) {
        return c->deadline != UINT64_MAX;
}

/** frame_reader_expire() - drop a half request whose time is up */
void frame_reader_expire(FrameReader *c, uint64_t now);

/** frame_reader_reset() - the host is gone: forget a half request, and discard no longer */
void frame_reader_reset(FrameReader *c);

/** frame_reader_done() - release the memory */
void frame_reader_done(FrameReader *c);
