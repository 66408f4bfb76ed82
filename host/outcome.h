/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What can become of a question to one guest: an outcome, its cause, and the exit status that follows.
 */

#include "core/options.h"

typedef enum Outcome {
        OUTCOME_OK,        /* the guest answered, and the answer is what it should be */
        OUTCOME_NO_ANSWER, /* connected, but no complete answer came */
        OUTCOME_REFUSED,   /* nobody listens, or we may not connect */
        OUTCOME_ABSENT,    /* there is no such socket */
        OUTCOME_INVALID,   /* the guest sent something that is no answer */
        OUTCOME_BAD_QUOTE, /* the guest sent a quote that proves nothing, or not what is known of this guest */
        OUTCOME_ERROR,     /* the guest answered with an error, or we failed ourselves */
        _OUTCOME_MAX,
} Outcome;

/* 0 is success, so that functions can return a Cause, or -errno. Each cause belongs to one outcome. */
typedef enum Cause {
        CAUSE_NONE,
        CAUSE_SILENT,
        CAUSE_HALF_LINE,
        CAUSE_NO_REPLY,
        CAUSE_BUSY,
        CAUSE_CLOSED,
        CAUSE_CONNECTION_REFUSED,
        CAUSE_PERMISSION_DENIED,
        CAUSE_NOT_A_STREAM,
        CAUSE_NO_SUCH_SOCKET,
        CAUSE_NO_SYNC,
        CAUSE_TOO_MUCH,
        CAUSE_LINE_TOO_LONG,
        CAUSE_NOT_JSON,
        CAUSE_TOO_DEEP,
        CAUSE_TOO_MANY_VALUES,
        CAUSE_NOT_A_REPLY,
        CAUSE_WRONG_ID,
        CAUSE_BAD_REPORT,
        CAUSE_BAD_EVENT,
        CAUSE_BAD_ANSWER,
        CAUSE_FLOOD,
        CAUSE_MEMORY,
        CAUSE_BAD_QUOTE, /* which of its faults is told by Target.code */
        CAUSE_GUEST_ERROR,
        CAUSE_KEY_STORE,
        CAUSE_LOCAL_ERROR,
        _CAUSE_MAX,
} Cause;

/** outcome_name() - the stable name of an outcome: "no-answer" */
const char *outcome_name(Outcome outcome);

/** outcome_status() - the exit status that an outcome alone asks for */
int outcome_status(Outcome outcome);

/** cause_code() - the stable code of a cause, printed as the reason, or NULL for CAUSE_NONE */
const char *cause_code(Cause cause);

/** cause_outcome() - the outcome that a cause belongs to */
Outcome cause_outcome(Cause cause);

/**
 * cause_of_errno() - why a connection could not be made
 * @error: what connect() failed with, positive
 *
 * Return: the cause; CAUSE_LOCAL_ERROR where the guest is not to blame.
 */
Cause cause_of_errno(int error);

/**
 * status_worse() - the exit status over two guests
 * @a: the one
 * @b: the other
 *
 * Return: the first that holds of 2, 1, 6, 5, 3, 4, 0.
 */
int status_worse(int a, int b);
