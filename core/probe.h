/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Facts about a machine that are in no file: uname, CPUID, the kernel log, services. A snapshot keeps them in
 * gtuned-machine.json, so that the verdict on a copied tree is the same as on the machine itself.
 */

#include "core/kernel-log.h"
#include "core/service.h"

#define PROBE_PATH "/gtuned-machine.json"

typedef struct Probe {
        char *arch;           /* uname -m */
        char *kernel_release; /* uname -r; NULL: unknown */
        char *hypervisor;     /* CPUID signature such as "KVMKVMKVM"; "?": hidden; "" on bare x86; NULL: no CPUID */
        int dedicated_hint;   /* KVM_HINTS_REALTIME: 1, 0, or -1 unknown */
        KernelLog log;
        Services services;    /* the services that practices look at */
} Probe;

/* What practices look for. */
typedef struct Interest {
        const char *const *kernel_options; /* "CONFIG_HALTPOLL_CPUIDLE"; NULL-terminated */
        const char *const *log_patterns; /* a line of the kernel log is kept if it contains one; NULL-terminated */
        const ServiceInterest *services;
        size_t n_services;
        const char *kept_log; /* the file of kernel_log_keep(); NULL: there is none */
} Interest;

/**
 * probe_live() - read the facts of the running system, but not its kernel log and services
 * @ret: takes the facts; the caller frees them
 *
 * Return: 0 or -ENOMEM.
 */
int probe_live(Probe **ret);

/** probe_new() - make a probe in which everything is unknown; the caller frees it. Return: 0 or -ENOMEM. */
int probe_new(Probe **ret);

/** probe_free() - release a probe; NULL is ignored */
Probe *probe_free(Probe *probe);
DEFINE_CLEANUP(Probe *, probe_free);

/** probe_to_json() - make the document that a snapshot keeps; the caller puts it. Return: 0 or -ENOMEM. */
int probe_to_json(const Probe *probe, json_object **ret);

/** probe_from_json() - read a snapshot's document; the caller frees the probe. Return: 0, -EBADMSG or -ENOMEM. */
int probe_from_json(json_object *o, Probe **ret);
