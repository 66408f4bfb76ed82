/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * qga-policy: which RPCs of the QEMU guest agent the host may call.
 */

#include "core/configuration.h"
#include "qga-policy/drop-in.h"

extern const Practice practice_qga_policy;

/* What is known of the guest agent of a machine. */
typedef struct Qga {
        bool image;               /* of an image: nothing runs yet */
        const Services *services; /* what the service manager said */
        bool lacks_port;          /* it needs a virtio port, does not run, and the host gives the guest none */

        const char *unit;      /* name of its unit; NULL: there is none */
        char *drop_in;         /* path of the drop-in */
        DropInFile file;       /* what is there */
        const LedgerFile *record; /* what the ledger knows of it, or NULL */

        AgentCommand base;     /* the unit without the drop-in */
        AgentCommand with;     /* … with the drop-in as it is; nothing is read where there is none */
        const AgentCommand *is; /* the one of the two that counts */
        QgaBinary binary;
        int binary_error;      /* -errno: it could not be read */
        const char *undone_by; /* path of a drop-in that sorts behind ours and sets ExecStart, or NULL */

        Wish wish;
        Names open;            /* what the files leave open though the policy wants it closed */
        int form_error;        /* -EOPNOTSUPP, -EINVAL: no drop-in can say it */
        Buffer text;           /* the drop-in as it is to be; empty: none is needed */
        char *expect;          /* an argument that shows that a process has all this; NULL: there is none */
        bool right;            /* the files are as they should be */

        const Service *service; /* as the manager knows it, or NULL */
        AgentCommand process;  /* what its main process runs with */
        Names running_open;    /* what the process leaves open though the policy wants it closed */
} Qga;

/** qga_read() - Practice.read: look at everything; the facts are a Qga. Return: 0 or -ENOMEM. */
int qga_read(const View *view, void **ret);

/** qga_free() - Practice.done: release the facts; NULL is ignored */
void qga_free(void *facts);

/** qga_runs() - whether the unit has a process whose arguments are known */
bool qga_runs(const Qga *q) _pure_;

/** qga_in_effect() - what closes RPCs now: of the process, of the files in an image; NULL where nothing runs */
const AgentCommand *qga_in_effect(const Qga *q) _pure_;

/** qga_verdict() - the state, with reason and remedy. Return: 0 or -ENOMEM. */
int qga_verdict(const View *view, const Qga *q, Finding *finding);

/** qga_report() - settings, evidence and warnings. Return: 0 or -ENOMEM. */
int qga_report(const View *view, const Qga *q, Finding *finding);

/**
 * qga_needs_restart() - whether the files are right and the running process has not read them
 *
 * It says nothing about an agent that does not run.
 */
bool qga_needs_restart(const Qga *q) _pure_;

/**
 * qga_precheck() - Practice.precheck
 *
 * If the plan has nothing of this practice, because its drop-in is taken back, only frozen file systems count.
 */
int qga_precheck(const View *view, const void *facts, const Plan *plan, char **ret_refusal);
