/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of commands that the host may use. It knows how each is asked and answered, and nothing of where the
 * answers come from.
 */

#include "core/buffer.h"

/* What the commands need of the daemon. All texts are JSON on one line, of pure ASCII. */
typedef struct CommandAgent {
        /* The report. The bytes stay valid until the next call. Return: 0 or -errno. */
        int (*report)(void *userdata, Span *ret);

        /* The plan, a JSON object with an array "changes" and "refusal"; as report. */
        int (*changes)(void *userdata, Span *ret);

        /* Whether the policy, as it was last read, lets the host ask for gtune-apply. */
        bool (*apply_allowed)(void *userdata);

        /* Begin to run the apply unit; the answer is given later. */
        void (*apply)(void *userdata);

        /* Begin or end to send events. When it ends, what was to be answered aside is not wanted any more. */
        void (*watch)(void *userdata, bool on);

        /*
         * Begin to ask gtune-tpm; the answer is given aside. verb and arguments as tpm_client_ask() takes them; with
         * signs_report the report is signed too, and becomes a member of what is returned. Return: 0, or -EBUSY: one is
         * under way.
         */
        int (*tpm)(void *userdata, const char *verb, Buffer *arguments, bool signs_report);

        void *userdata;
} CommandAgent;

/* Positive outcome of command_answer(). */
enum {
        COMMAND_ANSWERED = 0,
        COMMAND_PENDING = 1,    /* there is no answer yet, and no later request may be answered before it */
        COMMAND_BACKGROUND = 2, /* there is no answer yet, and others are answered meanwhile; only one at a time */
};

/**
 * command_answer() - answer one request
 * @text: the request, complete
 * @agent: where answers come from
 * @reply: takes the answer, appended
 * @ret_id: takes the id of the request, a part of text, or none; command_finish() needs a copy of it
 *
 * Return: COMMAND_ANSWERED, COMMAND_PENDING, COMMAND_BACKGROUND, or -ENOMEM.
 */
int command_answer(Span text, const CommandAgent *agent, Buffer *reply, Span *ret_id);

/**
 * command_finish() - give the answer to a request that command_answer() has not answered
 * @id: the id of the request
 * @class: the class of the error, or NULL if it succeeded
 * @desc: the description of the error, or what is returned: JSON text
 * @reply: takes the answer, appended
 *
 * Return: 0 or -ENOMEM.
 */
int command_finish(Span id, const char *class, const char *desc, Buffer *reply);
