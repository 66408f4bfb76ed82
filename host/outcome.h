/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How asking one guest can end: the outcome, its cause, and the exit status that follows. The test is
 * tests/host/lying-guests.py.
 */

#include "core/options.h"

typedef enum Outcome {
        OUTCOME_OK,        /* the guest sent a valid answer */
        OUTCOME_NO_ANSWER, /* the connection was made, but no complete answer came in time */
        OUTCOME_REFUSED,   /* no program listens on the socket, or this user may not connect */
        OUTCOME_ABSENT,    /* there is no such socket */
        OUTCOME_INVALID,   /* the guest sent something that is not a valid answer */
        OUTCOME_BAD_QUOTE, /* the quote is invalid, or contradicts the record of this guest */
        OUTCOME_ERROR,     /* the guest answered with an error, or gtune-host itself failed */
        _OUTCOME_MAX,
} Outcome;

/* Why an outcome came about. Each cause belongs to one outcome. CAUSE_NONE is 0, so that a function can return 0, a
 * positive Cause, or -errno. */
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
        CAUSE_BAD_QUOTE, /* Target.code says which fault the quote has */
        CAUSE_GUEST_ERROR,
        CAUSE_KEY_STORE,
        CAUSE_LOCAL_ERROR,
        _CAUSE_MAX,
} Cause;

/** outcome_name() - get the stable name of an outcome, such as "no-answer" */
const char *outcome_name(Outcome outcome);

/** outcome_status() - get the exit status for an outcome by itself, without regard to a report */
int outcome_status(Outcome outcome);

/** cause_code() - get the stable code of a cause, which is printed as the reason. Return: NULL for CAUSE_NONE. */
const char *cause_code(Cause cause);

/** cause_outcome() - get the outcome that a cause belongs to */
Outcome cause_outcome(Cause cause);

/**
 * cause_of_errno() - get the cause for an error of connect()
 * @error: the positive errno
 *
 * Return: the cause; CAUSE_LOCAL_ERROR if the error has nothing to do with the guest.
 */
Cause cause_of_errno(int error);

/**
 * status_worse() - combine the exit statuses of two guests
 * @a: one exit status
 * @b: the other exit status
 *
 * Return: the one of them that comes first in 2, 1, 6, 5, 3, 4, 0 (gtune-host(1), "EXIT STATUS").
 */
int status_worse(int a, int b);
