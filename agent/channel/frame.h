/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Framing: finds where the host's requests begin and end in a stream of bytes. It does no input or output. The protocol
 * is that of the QEMU guest agent, read strictly. Every byte may be hostile. Its dialect has strings in single quotes;
 * they are kept in double quotes, so that what follows reads and echoes plain JSON.
 *
 * A request is complete when its brackets balance; it needs no newline. Each byte is checked as it arrives. After a
 * wrong byte the host gets one error, and all input is discarded up to the next newline or 0xFF.
 */

#include "core/buffer.h"
#include "core/json-scan.h"

#define FRAME_SIZE_MAX (64U * 1024U)     /* bytes of one request */
#define FRAME_DEPTH_MAX 32U              /* nested braces and brackets */
#define FRAME_HALF_USEC (10U * 1000000U) /* an incomplete request is dropped so long after its first byte */

typedef enum FrameEvent {
        FRAME_MORE,    /* all bytes were taken, and no request is complete */
        FRAME_REQUEST, /* frame_reader_text() is a complete request until the next call */
        FRAME_GARBAGE, /* the input is no request; answer with the error frame_reader_error() */
        FRAME_FLUSH,   /* the byte 0xFF: the host begins anew, and an incomplete request is dropped */
} FrameEvent;

typedef struct FrameReader {
        Buffer text;          /* the request so far */
        uint64_t deadline;    /* when an incomplete request is dropped; UINT64_MAX: there is none */
        JsonScan scan;
        size_t string;        /* where the string that is being read begins in text */
        bool complete;        /* the next call drops text */
        bool discarding;      /* after garbage: input is ignored up to a newline or 0xFF */
        const char *error;    /* of the last FRAME_GARBAGE */
} FrameReader;

#define FRAME_SCAN_NULL ((JsonScan) {.depth_max = FRAME_DEPTH_MAX, .single_quotes = true})
#define FRAME_READER_NULL ((FrameReader) {.scan = FRAME_SCAN_NULL, .deadline = UINT64_MAX})

/**
 * frame_reader_feed() - take bytes of the host up to the first event
 * @reader: the reader
 * @data: the bytes
 * @size: their number
 * @now: the time in microseconds; the same clock in all calls
 * @ret_used: takes the number of bytes that were taken
 *
 * Return: a FrameEvent, or -ENOMEM.
 */
int frame_reader_feed(FrameReader *reader, const char *data, size_t size, uint64_t now, size_t *ret_used);

/** frame_reader_text() - the text of the request that the last FRAME_REQUEST announced */
static inline Span frame_reader_text(const FrameReader *reader) {
        return SPAN_BUFFER(reader->text);
}

/** frame_reader_error() - the error to answer after the last FRAME_GARBAGE; a constant */
static inline const char *frame_reader_error(const FrameReader *reader) {
        return reader->error;
}

/** frame_reader_half() - whether a request has begun and is not complete */
static inline bool frame_reader_half(const FrameReader *reader) {
        return reader->deadline != UINT64_MAX;
}

/** frame_reader_expire() - drop an incomplete request if its deadline has passed */
void frame_reader_expire(FrameReader *reader, uint64_t now);

/** frame_reader_reset() - drop an incomplete request and end discarding, because the host is gone */
void frame_reader_reset(FrameReader *reader);

/** frame_reader_done() - release the memory */
void frame_reader_done(FrameReader *reader);
