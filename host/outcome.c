/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/outcome.h"

static const struct {
        const char *name;
        int status;
} outcomes[_OUTCOME_MAX] = {
        [OUTCOME_OK]        = {"ok",        STATUS_OK},
        [OUTCOME_NO_ANSWER] = {"no-answer", STATUS_NO_ANSWER},
        [OUTCOME_REFUSED]   = {"refused",   STATUS_NO_ANSWER},
        [OUTCOME_ABSENT]    = {"absent",    STATUS_NO_ANSWER},
        [OUTCOME_INVALID]   = {"invalid",   STATUS_NO_ANSWER},
        [OUTCOME_BAD_QUOTE] = {"bad-quote", STATUS_ERROR},
        [OUTCOME_ERROR]     = {"error",     STATUS_ERROR},
};

static const struct {
        Outcome outcome;
        const char *code;
} causes[_CAUSE_MAX] = {
        [CAUSE_NONE]               = {OUTCOME_OK,        NULL},
        [CAUSE_SILENT]             = {OUTCOME_NO_ANSWER, "silent"},
        [CAUSE_HALF_LINE]          = {OUTCOME_NO_ANSWER, "half-line"},
        [CAUSE_NO_REPLY]           = {OUTCOME_NO_ANSWER, "no-reply"},
        [CAUSE_BUSY]               = {OUTCOME_NO_ANSWER, "busy"},
        [CAUSE_CLOSED]             = {OUTCOME_NO_ANSWER, "closed"},
        [CAUSE_CONNECTION_REFUSED] = {OUTCOME_REFUSED,   "connection-refused"},
        [CAUSE_PERMISSION_DENIED]  = {OUTCOME_REFUSED,   "permission-denied"},
        [CAUSE_NOT_A_STREAM]       = {OUTCOME_REFUSED,   "not-a-stream"},
        [CAUSE_NO_SUCH_SOCKET]     = {OUTCOME_ABSENT,    "no-such-socket"},
        [CAUSE_NO_SYNC]            = {OUTCOME_INVALID,   "no-sync"},
        [CAUSE_TOO_MUCH]           = {OUTCOME_INVALID,   "too-much"},
        [CAUSE_LINE_TOO_LONG]      = {OUTCOME_INVALID,   "line-too-long"},
        [CAUSE_NOT_JSON]           = {OUTCOME_INVALID,   "not-json"},
        [CAUSE_TOO_DEEP]           = {OUTCOME_INVALID,   "too-deep"},
        [CAUSE_TOO_MANY_VALUES]    = {OUTCOME_INVALID,   "too-many-values"},
        [CAUSE_NOT_A_REPLY]        = {OUTCOME_INVALID,   "not-a-reply"},
        [CAUSE_WRONG_ID]           = {OUTCOME_INVALID,   "wrong-id"},
        [CAUSE_BAD_REPORT]         = {OUTCOME_INVALID,   "bad-report"},
        [CAUSE_BAD_EVENT]          = {OUTCOME_INVALID,   "bad-event"},
        [CAUSE_BAD_ANSWER]         = {OUTCOME_INVALID,   "bad-answer"},
        [CAUSE_FLOOD]              = {OUTCOME_INVALID,   "flood"},
        [CAUSE_MEMORY]             = {OUTCOME_INVALID,   "memory"},
        [CAUSE_BAD_QUOTE]          = {OUTCOME_BAD_QUOTE, "bad-quote"},
        [CAUSE_GUEST_ERROR]        = {OUTCOME_ERROR,     "guest-error"},
        [CAUSE_KEY_STORE]          = {OUTCOME_ERROR,     "key-store"},
        [CAUSE_LOCAL_ERROR]        = {OUTCOME_ERROR,     "local-error"},
};

static const struct {
        int error;
        Cause cause;
} cause_errnos[] = {
        {ENOENT,       CAUSE_NO_SUCH_SOCKET},
        {ENOTDIR,      CAUSE_NO_SUCH_SOCKET},
        {ELOOP,        CAUSE_NO_SUCH_SOCKET},
        {ENAMETOOLONG, CAUSE_NO_SUCH_SOCKET},
        {ECONNREFUSED, CAUSE_CONNECTION_REFUSED},
        {ECONNRESET,   CAUSE_CONNECTION_REFUSED},
        {EACCES,       CAUSE_PERMISSION_DENIED},
        {EPERM,        CAUSE_PERMISSION_DENIED},
        {EPROTOTYPE,   CAUSE_NOT_A_STREAM},
        {EAGAIN,       CAUSE_BUSY},
};

/* From the worst to the best. */
static const int status_order[] = {
        STATUS_USAGE, STATUS_ERROR, STATUS_NO_ANSWER, STATUS_UNMET, STATUS_CHANGES, STATUS_REBOOT, STATUS_OK,
};

const char *outcome_name(Outcome outcome) {
        assert(outcome < _OUTCOME_MAX);

        return outcomes[outcome].name;
}

int outcome_status(Outcome outcome) {
        assert(outcome < _OUTCOME_MAX);

        return outcomes[outcome].status;
}

const char *cause_code(Cause cause) {
        assert(cause < _CAUSE_MAX);

        return causes[cause].code;
}

Outcome cause_outcome(Cause cause) {
        assert(cause < _CAUSE_MAX);

        return causes[cause].outcome;
}

Cause cause_of_errno(int error) {
        for (size_t i = 0; i < ELEMENTSOF(cause_errnos); i++)
                if (cause_errnos[i].error == error)
                        return cause_errnos[i].cause;

        return CAUSE_LOCAL_ERROR;
}

int status_worse(int a, int b) {
        for (size_t i = 0; i < ELEMENTSOF(status_order); i++)
                if (status_order[i] == a || status_order[i] == b)
                        return status_order[i];

        return STATUS_ERROR;
}
