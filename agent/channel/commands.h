/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The commands that the host may use: their arguments and the form of their answers. The content of the answers comes
 * from the daemon through CommandAgent.
 */

#include "core/buffer.h"

/* The functions of the daemon that the commands call. All texts are JSON on one line in ASCII. */
typedef struct CommandAgent {
        /*
         * Get the report; its bytes stay valid until the next call of any function. Return: 0; -EAGAIN if it is being
         * made; another -errno.
         */
        int (*report)(void *userdata, Span *ret);

        /* Get the plan: an object with "changes", "refusal" and perhaps "left_out"; otherwise as report(). */
        int (*changes)(void *userdata, Span *ret);

        /* Whether the policy that was read last lets the host use gtune-apply. */
        bool (*apply_allowed)(void *userdata);

        /* Ask for the apply unit to be started; the answer to the host follows by command_finish(). */
        void (*apply)(void *userdata);

        /* Begin or end to send events. When that ends, a COMMAND_BACKGROUND answer is no longer wanted. */
        void (*watch)(void *userdata, bool on);

        /*
         * Ask gtune-tpm; the answer to the host follows by command_finish(). The parameters are those of
         * tpm_client_ask(): a constant name, the members of "arguments" without their braces, which are moved, and
         * whether the report is signed too and becomes a member of the answer. Return: 0; -EBUSY if another question
         * is not answered yet; -EAGAIN if the report is being made.
         */
        int (*tpm)(void *userdata, const char *verb, Buffer *arguments, bool signs_report);

        void *userdata;
} CommandAgent;

/* Positive outcome of command_answer(). */
enum {
        COMMAND_ANSWERED = 0,
        COMMAND_PENDING = 1,    /* the answer comes later; no other request may be answered before it */
        COMMAND_BACKGROUND = 2, /* the answer comes later; other requests are answered meanwhile */
        COMMAND_LATER = 3,      /* to be answered again when the report is made; no other request may be before it */
};

/**
 * command_answer() - answer one request
 * @text: the request, complete
 * @agent: the daemon
 * @reply: takes the answer, appended
 * @ret_id: takes the id of the request, a part of text, or SPAN_NULL; keep a copy for command_finish()
 *
 * Return: COMMAND_ANSWERED; another outcome, and then reply is unchanged; -ENOMEM.
 */
int command_answer(Span text, const CommandAgent *agent, Buffer *reply, Span *ret_id);

/**
 * command_finish() - answer a request for which command_answer() returned COMMAND_PENDING or COMMAND_BACKGROUND
 * @id: the id of the request, or an empty span
 * @class: the class of the error, or NULL if the command succeeded
 * @desc: the description of the error; if the command succeeded, its result: JSON text
 * @reply: takes the answer, appended
 *
 * Return: 0 or -ENOMEM.
 */
int command_finish(Span id, const char *class, const char *desc, Buffer *reply);
