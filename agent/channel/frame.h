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

#define CHANNEL_REQUEST_MAX (64U * 1024U) /* bytes of one request */
#define CHANNEL_DEPTH_MAX 32U             /* braces and brackets */
#define CHANNEL_HALF_USEC (10U * 1000000U) /* how long a half request may wait for its rest */

typedef enum ChannelEvent {
        CHANNEL_MORE,    /* all bytes are taken, and no request is complete */
        CHANNEL_REQUEST, /* channel_text() is a whole request, until the next call */
        CHANNEL_GARBAGE, /* channel_error() says why; answer it once */
        CHANNEL_FLUSH,   /* the byte 0xFF: the host starts afresh */
} ChannelEvent;

/* What may come next in a JSON text. */
typedef enum ChannelExpect {
        EXPECT_FIRST_KEY, /* after {  */
        EXPECT_KEY,       /* after , in an object */
        EXPECT_COLON,
        EXPECT_FIRST_VALUE, /* after [ */
        EXPECT_VALUE,
        EXPECT_NEXT, /* after a value: a comma or the end */
        _EXPECT_MAX,
} ChannelExpect;

typedef struct Channel {
        Buffer text;          /* the request so far */
        uint64_t deadline;    /* when a half request is dropped; UINT64_MAX: there is none */
        uint64_t objects;     /* one bit a level: it is an object, not an array */
        unsigned depth;
        ChannelExpect expect;
        size_t token;         /* where the string or word that is being read begins */
        unsigned hex;         /* digits that a \u still needs */
        bool in_word, in_string, escaped;
        bool complete;        /* text is to be dropped at the next call */
        bool discarding;
        const char *error;
} Channel;

#define CHANNEL_NULL ((Channel) {.deadline = UINT64_MAX})

/**
 * channel_feed() - take bytes of the host up to the first thing that needs an answer
 * @c: the channel
 * @data: the bytes
 * @size: how many
 * @now: the time in microseconds, any clock
 * @ret_used: takes how many of them were taken
 *
 * Return: a ChannelEvent, or -ENOMEM.
 */
int channel_feed(Channel *c, const char *data, size_t size, uint64_t now, size_t *ret_used);

/** channel_text() - the request that the last CHANNEL_REQUEST was about */
static inline Span channel_text(const Channel *c) {
        return SPAN_BUFFER(c->text);
}

/** channel_error() - the description for the last CHANNEL_GARBAGE */
static inline const char *channel_error(const Channel *c) {
        return c->error;
}

/** channel_half() - whether a request was begun and is not complete */
static inline bool channel_half(const Channel *c) {
        return c->deadline != UINT64_MAX;
}

/** channel_expire() - drop a half request whose time is up */
void channel_expire(Channel *c, uint64_t now);

/** channel_reset() - the host is gone: forget a half request, and discard no longer */
void channel_reset(Channel *c);

/** channel_done() - release the memory */
void channel_done(Channel *c);
