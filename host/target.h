/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One guest: its connection, which connects, syncs and asks, and the outcome. The test is tests/host/lying-guests.py.
 */

#include <systemd/sd-event.h>

#include "host/reply.h"
#include "host/report.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

typedef enum TargetState {
        TARGET_QUEUED,     /* not started */
        TARGET_CONNECTING, /* the backlog of the socket is full; connect() is tried again */
        TARGET_SYNCING,    /* the sync was sent; everything before its answer is dropped */
        TARGET_ASKING,     /* the command was sent */
        TARGET_STREAMING,  /* the answer came; events follow */
        TARGET_DONE,       /* the connection is closed, and the outcome is known */
} TargetState;

typedef struct Target Target;
typedef struct HostTpmOptions HostTpmOptions;

/* The part that all targets share. A guest does not see the messages to another guest, so all may get the same ones. */
typedef struct TargetOwner {
        sd_event *event;
        uint64_t timeout;   /* for one target, from connect() to the answer, in microseconds */
        bool stream;        /* after the answer the connection remains open for events */
        Buffer sync;        /* the message of message_sync() */
        int64_t sync_id;    /* the number that the agent sends back */
        Buffer request;     /* the command, for every target without a command of its own */
        int64_t request_id; /* the id of that command */
        const HostTpmOptions *tpm;

        /* Each callback returns 0, or -errno, which ends the event loop. answered() and changed() may also return a
         * Cause, which ends the target. The JSON values may be NULL. */
        int (*ask)(Target *t);                                           /* the sync succeeded: may set t->request */
        int (*answered)(Target *t, json_object *value);                  /* the answer came */
        int (*changed)(Target *t, const char *event, json_object *data); /* an event came */
        int (*weigh)(Target *t);                                         /* t may hold more memory than before */
        int (*finished)(Target *t);                                      /* t has become TARGET_DONE */
} TargetOwner;

struct Target {
        TargetOwner *owner;
        const char *path;
        const char *name; /* the name that the operator gave the guest, or NULL */
        TargetState state;
        int fd;
        sd_event_source *io;
        sd_event_source *timer;
        uint64_t deadline;    /* of the sync or, after it, of the answer */

        LineReader reader;
        const char *out;      /* the rest of the message that is being sent */
        size_t out_size;      /* its length in bytes */
        const Buffer *queued; /* the message to send after it, or NULL */
        Buffer request;       /* the command of this target; empty: owner->request is sent */
        int64_t request_id;   /* the id of that command */
        void *asked;          /* data of the verb on the command; freed with free() */
        size_t received;      /* bytes that were received, in all or, while streaming, in this window */
        unsigned lines;       /* lines that were parsed, before the sync or, while streaming, in this window */
        size_t ignored;       /* bytes in lines since the sync that do not answer the command */
        bool misled;          /* one of these lines answered another command */
        bool streams;         /* the command was answered, and events follow; the owner sets it */
        uint64_t window;      /* while streaming: when the window began, in microseconds of CLOCK_MONOTONIC */

        Cause cause;       /* valid if the state is TARGET_DONE */
        const char *code;  /* of CAUSE_BAD_QUOTE: the reason that is printed; a constant; or NULL */
        char *detail;      /* a text on the cause, or NULL; may hold any byte that the guest sent */
        char *error_class; /* of CAUSE_GUEST_ERROR: the class of the error; may hold any byte that the guest sent */

        Buffer text;                /* the output for this target */
        int status;                 /* the exit status for this target */
        size_t weight;              /* bytes of memory that the fleet counts for this target */
        uint8_t states[_STATE_MAX]; /* the number of practices in each state */
};

/** target_init() - initialise a target in the state TARGET_QUEUED; owner and path must outlive it */
void target_init(Target *t, TargetOwner *owner, const char *path);

/**
 * target_start() - begin to connect
 * @t: a target in the state TARGET_QUEUED
 *
 * Return: 0, and if the connection failed the target is TARGET_DONE; -EMFILE or -ENFILE, and the target is still
 * TARGET_QUEUED, if no descriptor is left; another -errno if gtune-host itself failed.
 */
int target_start(Target *t);

/**
 * target_finish() - close the connection, set the cause, and call owner->finished()
 * @t: the target; if it is already TARGET_DONE, nothing happens
 * @cause: the cause
 * @detail: a text on the cause, or NULL; copied
 *
 * Return: 0 or -errno.
 */
int target_finish(Target *t, Cause cause, const char *detail);

/**
 * target_refuse() - set code and detail of a target whose answer is refused
 * @t: the target
 * @cause: the cause, for the return value
 * @code: with CAUSE_BAD_QUOTE the reason that is printed, a constant; else NULL
 * @format: the detail, as printf()
 *
 * Return: the cause, or -ENOMEM.
 */
int target_refuse(Target *t, Cause cause, const char *code, const char *format, ...) _printf_(4, 5);

/** target_release() - close the connection and free all members of the target, but not the target */
void target_release(Target *t);
