/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * qga-policy: which RPCs of the QEMU guest agent the host may call.
 */

#include "core/configuration.h"
#include "qga-policy/drop-in.h"
#include "qga-policy/starter.h"

extern const Practice practice_qga_policy;

/* The facts about the guest agent of a machine. */
typedef struct Qga {
        bool image;               /* the machine is an image: nothing runs yet */
        bool snapshot;            /* the machine is a copy of another: what runs there cannot be restarted here */
        const Services *services; /* the services, as the service manager has them */
        bool lacks_port;          /* the agent needs a virtio port, does not run, and the guest has no such port */

        const char *unit;      /* name of the agent's unit; NULL: there is none that gtuned knows */
        Starter starter;       /* what else starts an agent, if there is no unit, or it starts nothing */
        const ServiceProcess *alone; /* an agent that runs though there is no unit, or NULL */
        char *drop_in;         /* path of gtuned's drop-in */
        DropInFile file;       /* the file at that path */
        const LedgerFile *record; /* the ledger's record of the drop-in, or NULL */

        AgentCommand base;     /* the unit without the drop-in */
        AgentCommand with;     /* … with the drop-in as it is; empty if there is no drop-in */
        const AgentCommand *is; /* the unit as it is: base, or with if there is a drop-in */
        QgaBinary binary;
        int binary_error;      /* -errno of reading the binary, or 0 */
        const char *undone_by; /* path of a drop-in that is read after gtuned's and sets ExecStart, or NULL */

        Wish wish;
        Names open;            /* RPCs that the files leave open, though the policy wants them closed */
        int form_error;        /* -EOPNOTSUPP or -EINVAL: no drop-in can close the RPCs; otherwise 0 */
        Buffer text;           /* the drop-in as it is to be; empty: no drop-in is needed */
        char *expect;          /* the argument by which a process shows that it read the drop-in; NULL: none */
        bool right;            /* the files are as they should be */

        const Service *service; /* the agent's service, as the service manager has it, or NULL */
        AgentCommand process;  /* the command line of its main process */
        Names running_open;    /* RPCs that the process leaves open, though the policy wants them closed */
} Qga;

/** qga_read() - Practice.read: the facts, a Qga. Return: 0 or -ENOMEM. */
int qga_read(const View *view, void **ret);

/** qga_free() - Practice.done: release the facts; NULL is ignored */
void qga_free(void *facts);

/** qga_runs() - whether the unit has a process whose arguments are known */
bool qga_runs(const Qga *q) _pure_;

/**
 * qga_is_other() - whether an agent is there that none of the units that gtuned knows starts
 *
 * False if the unit that gtuned knows runs, or if its agent runs outside of it.
 */
bool qga_is_other(const Qga *q) _pure_;

/** qga_is_absent() - whether the machine has no agent at all: no unit, program or process */
bool qga_is_absent(const Qga *q) _pure_;

/**
 * qga_in_effect() - the command line that closes RPCs now: the process's, or an image's files; NULL if there is none
 */
const AgentCommand *qga_in_effect(const Qga *q) _pure_;

/** qga_verdict() - set the state of a finding, with reason and remedy. Return: 0 or -ENOMEM. */
int qga_verdict(const View *view, const Qga *q, Finding *finding);

/** qga_report() - add settings, evidence and warnings to a finding. Return: 0 or -ENOMEM. */
int qga_report(const View *view, const Qga *q, Finding *finding);

/**
 * qga_needs_restart() - whether the files are right and the running process has not read them
 *
 * False if the agent does not run.
 */
bool qga_needs_restart(const Qga *q) _pure_;

/**
 * qga_precheck() - Practice.precheck
 *
 * If the plan has no change of this practice, because the drop-in is removed, only frozen file systems are checked.
 */
int qga_precheck(const View *view, const void *facts, const Plan *plan, char **ret_refusal);
