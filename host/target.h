/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One guest: its connection, from connect() over the sync to the answer, and what became of it.
 */

#include <systemd/sd-event.h>

#include "host/reply.h"
#include "host/report.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

typedef enum TargetState {
        TARGET_QUEUED,     /* not begun */
        TARGET_CONNECTING, /* the backlog of the socket is full, so we try again */
        TARGET_SYNCING,    /* all that comes is dropped, up to the answer to our sync */
        TARGET_ASKING,     /* the command was sent */
        TARGET_STREAMING,  /* it was answered, and events come */
        TARGET_DONE,
} TargetState;

typedef struct Target Target;
typedef struct HostTpmOptions HostTpmOptions;

/* What all targets have in common. One guest does not see another's messages, so that they may be the same for all. */
typedef struct TargetOwner {
        sd_event *event;
        uint64_t timeout; /* microseconds for one target, from connect() to the answer */
        bool stream;      /* the connection stays after the answer */
        Buffer sync;      /* the message that asks for an answer with sync_id */
        int64_t sync_id;
        Buffer request; /* the command, with request_id, for targets that have none of their own */
        int64_t request_id;
        const HostTpmOptions *tpm; /* for the verbs that they are for */

        /* All return 0 or -errno, which ends the loop; answered() and changed() may return a Cause, which ends the
         * target. The value may be NULL. ask() makes a request of the target's own, where the verb has one. */
        int (*ask)(Target *t);
        int (*answered)(Target *t, json_object *value);
        int (*changed)(Target *t, const char *event, json_object *data);
        int (*weigh)(Target *t);    /* its memory may have grown */
        int (*finished)(Target *t); /* it is TARGET_DONE now */
} TargetOwner;

struct Target {
        TargetOwner *owner;
        const char *path;
        const char *name; /* what the operator calls the guest, or NULL */
        TargetState state;
        int fd;
        sd_event_source *io;
        sd_event_source *timer;
        uint64_t deadline;

        LineReader reader;
        const char *out; /* what is still to be sent of owner->sync or owner->request */
        size_t out_size;
        const Buffer *queued; /* the one to be sent next, or NULL */
        Buffer request;       /* its own command, with request_id; empty: that of the owner */
        int64_t request_id;
        void *asked;          /* what the verb keeps of it; freed with free() */
        size_t received;      /* bytes, since the beginning or in this window */
        unsigned lines;       /* lines that were looked at, before the sync or in this window */
        size_t ignored;       /* bytes of lines that were no answer to us, since the sync */
        bool misled;          /* one of them was the answer to something else */
        uint64_t window;      /* while streaming: when counting began */

        Cause cause;       /* valid when done */
        const char *code;  /* the reason, where the cause has none of its own; a constant */
        char *detail;      /* more on the cause; may hold any byte of the guest's */
        char *error_class; /* of CAUSE_GUEST_ERROR, likewise */

        Buffer text;                /* what will be printed for it */
        int status;                 /* its exit status */
        size_t weight;              /* bytes of memory that were accounted for it */
        uint8_t states[_STATE_MAX]; /* how many practices are in each state */
};

/** target_init() - make a target that is TARGET_QUEUED; owner and path must outlive it */
void target_init(Target *t, TargetOwner *owner, const char *path);

/**
 * target_start() - connect
 * @t: a target that is TARGET_QUEUED
 *
 * Return: 0, also where the target is done already; -EMFILE or -ENFILE where it must wait for a descriptor and is
 * still TARGET_QUEUED; -errno.
 */
int target_start(Target *t);

/**
 * target_finish() - close the connection and settle what became of the target
 * @t: the target; nothing happens where it is done
 * @cause: why
 * @detail: more on it, or NULL; copied
 *
 * Return: 0 or -errno.
 */
int target_finish(Target *t, Cause cause, const char *detail);

/**
 * target_refuse() - say why an answer is refused
 * @t: the target; its code and detail are set
 * @cause: why, in general
 * @code: the reason, where the cause has none of its own; a constant; or NULL
 * @format: a sentence
 *
 * Return: the cause, or -ENOMEM.
 */
int target_refuse(Target *t, Cause cause, const char *code, const char *format, ...) _printf_(4, 5);

/** target_release() - close the connection and free what the target holds, but not the target */
void target_release(Target *t);
