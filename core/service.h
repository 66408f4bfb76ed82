/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Facts about services, from the service manager over sd-bus: no environment or descriptor of another process is read.
 * A snapshot keeps them in gtuned-machine.json.
 */

#include "core/json.h"

struct sd_bus;

/* The load state of a unit that does not exist. */
#define SERVICE_NOT_FOUND "not-found"

/* A service that a practice looks at. */
typedef struct ServiceInterest {
        const char *unit;    /* "qemu-guest-agent.service" */
        const char *program; /* name of the program that it runs: "qemu-ga"; "": its processes do not matter */
} ServiceInterest;

typedef struct ServiceProcess {
        uint32_t pid;
        char *cgroup;     /* its control group: "/user.slice/user-0.slice/session-1.scope" */
        char **arguments; /* with which it was started, the program first; NULL-terminated */
} ServiceProcess;

/* Lists are NULL-terminated, and NULL if they are empty. */
typedef struct Service {
        char *unit;
        char *load_state;    /* "loaded", "masked", "not-found", "bad-setting", "error" */
        char *active_state;  /* "active", "activating", "inactive", "failed", … */
        bool need_reload;    /* its files changed since the manager read them */
        char *fragment;      /* path of the unit file that the manager read; NULL: none */
        char **drop_ins;     /* paths of the drop-ins that the manager read, in their order */
        char **environment;  /* Environment= as the manager has it: "NAME=value" */
        ServiceProcess main; /* pid 0: the service has no process */
        uint64_t started;    /* when the main process started, in microseconds since the epoch; 0: not known */
        ServiceProcess *strays; /* if it has no process: processes that run its program, such as one started by hand */
        size_t n_strays;
} Service;

/* The answer of the service manager. */
typedef struct Services {
        Service *list; /* units that are loaded or masked; one that does not exist, if its program runs all the same */
        size_t n;
        bool known;    /* the manager has answered; if not, error says why */
        char *error;
} Services;

/**
 * service_manager_open() - connect to the service manager
 * @ret: takes the connection; the caller closes it
 *
 * For root this is the manager's own socket, as for systemctl, because it works before the system bus is up and without
 * one; if that fails, and for other users, it is the system bus. Return: 0 or -errno.
 */
int service_manager_open(struct sd_bus **ret);

/**
 * services_read() - ask the service manager
 * @interests: the services to ask for
 * @n_interests: how many services
 * @ret: takes the answer; the caller calls services_done()
 *
 * If the manager does not answer each call within two seconds, ret->known is false and ret->error says so. Return: 0 or
 * -ENOMEM.
 */
int services_read(const ServiceInterest *interests, size_t n_interests, Services *ret);

/** service_done() - release what a service owns */
void service_done(Service *s);

/** services_done() - release what services_read() or services_from_json() filled in */
void services_done(Services *services);

/** services_find() - find the facts about a unit. Return: the service, or NULL: there is none, or nothing is known. */
const Service *services_find(const Services *services, const char *unit) _pure_;

/**
 * services_find_process() - find a process that runs the program of a unit, though the unit does not exist
 *
 * Return: the first of them, or NULL: there is none, or nothing is known.
 */
const ServiceProcess *services_find_process(const Services *services, const char *unit) _pure_;

/** services_to_json() - make the list for a snapshot; the caller puts it. Return: 0 or -ENOMEM. */
int services_to_json(const Services *services, json_object **ret);

/** services_from_json() - read such a list; the caller calls services_done(). Return: 0, -EBADMSG or -ENOMEM. */
int services_from_json(json_object *o, Services *ret);

/**
 * command_line_split() - split a command line as the service manager writes it for GetUnitProcesses()
 * @text: words with blanks between them; a word that needs it is in double quotes with backslashes
 *        (systemd: src/basic/process-util.c, quote_command_line())
 * @ret: takes the words; the caller calls strv_free()
 *
 * Return: 0, -EINVAL if a quote is not closed, or -ENOMEM.
 */
int command_line_split(const char *text, char ***ret);
