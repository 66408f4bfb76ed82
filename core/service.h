/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A service as the service manager knows it, asked over sd-bus: no other process's environment or descriptors
 * are read. A snapshot keeps it in gtuned-machine.json.
 */

#include "core/json.h"

struct sd_bus;

/* Which services a practice wants to know about. */
typedef struct ServiceInterest {
        const char *unit;    /* "qemu-guest-agent.service" */
        const char *program; /* name of the program that it runs: "qemu-ga" */
} ServiceInterest;

typedef struct ServiceProcess {
        uint32_t pid;
        char *cgroup;     /* where it runs: "/user.slice/user-0.slice/session-1.scope" */
        char **arguments; /* as it was started, the program first; NULL-terminated */
} ServiceProcess;

/* Lists are NULL-terminated, and NULL where they are empty. */
typedef struct Service {
        char *unit;
        char *load_state;    /* "loaded", "masked", "not-found", "bad-setting", "error" */
        char *active_state;  /* "active", "activating", "inactive", "failed", … */
        bool need_reload;    /* its files changed since the manager read them */
        char *fragment;      /* path of the unit file that the manager read; NULL: none */
        char **drop_ins;     /* paths of the drop-ins that the manager read, in their order */
        char **environment;  /* Environment= as the manager has it: "NAME=value" */
        ServiceProcess main; /* pid 0: it has no process */
        uint64_t started;    /* when that began, in microseconds since the epoch; 0: not known */
        ServiceProcess *strays; /* where it has none: processes of the same program elsewhere, as started by hand */
        size_t n_strays;
} Service;

/* What was asked, and what came of it. */
typedef struct Services {
        Service *list; /* only units that are loaded or masked */
        size_t n;
        bool known;    /* the manager has answered; otherwise error says why it has not */
        char *error;
} Services;

/**
 * service_manager_open() - connect to the service manager
 * @ret: takes the connection; the caller closes it
 *
 * Root asks it directly, as systemctl does: that works before the system bus is up, and without one. Return: 0 or -errno.
 */
int service_manager_open(struct sd_bus **ret);

/**
 * services_read() - ask the service manager
 * @interests: what to ask for
 * @n_interests: how many
 * @ret: takes the answer; the caller calls services_done()
 *
 * A manager that does not answer within two seconds is an answer too. Return: 0 or -ENOMEM.
 */
int services_read(const ServiceInterest *interests, size_t n_interests, Services *ret);

/** service_done() - release what a service owns */
void service_done(Service *s);

/** services_done() - release what services_read() or services_from_json() filled in */
void services_done(Services *services);

/** services_find() - what is known of a unit, or NULL: it is not there, or nothing is known */
const Service *services_find(const Services *services, const char *unit) _pure_;

/** services_to_json() - the list for a snapshot. Return: 0 or -ENOMEM. */
int services_to_json(const Services *services, json_object **ret);

/** services_from_json() - the opposite. Return: 0, -EBADMSG or -ENOMEM. */
int services_from_json(json_object *o, Services *ret);

/**
 * command_line_split() - take apart a command line as the service manager writes it for GetUnitProcesses()
 * @text: words with blanks between them; where a word needs it, in double quotes with backslashes
 *        (systemd: src/basic/process-util.c, quote_command_line())
 * @ret: takes the words; the caller calls strv_free()
 *
 * Return: 0, -EINVAL where a quote is not closed, or -ENOMEM.
 */
int command_line_split(const char *text, char ***ret);
