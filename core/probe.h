/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of a machine and stands in no file: uname, CPUID, the kernel log. A snapshot keeps it in
 * gtuned-machine.json, so that a tree can be judged as the machine itself would be.
 */

#include "core/kernel-log.h"
#include "core/service.h"

#define PROBE_PATH "/gtuned-machine.json"

typedef struct Probe {
        char *arch;           /* uname -m */
        char *kernel_release; /* uname -r; NULL: unknown */
        char *hypervisor;     /* CPUID signature such as "KVMKVMKVM"; "" on bare x86; NULL: no CPUID */
        int dedicated_hint;   /* KVM_HINTS_REALTIME: 1, 0, or -1 unknown */
        KernelLog log;
        Services services;    /* those that practices want to know about */
} Probe;

/* What practices want to know. */
typedef struct Interest {
        const char *const *log_patterns; /* what a kernel log line must contain to be kept; NULL-terminated */
        const ServiceInterest *services;
        size_t n_services;
        const char *kept_log; /* where kernel_log_keep() keeps lines; NULL: nowhere */
} Interest;

/**
 * probe_live() - ask the running system
 * @interest: what for
 * @ret: takes the answer; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
int probe_live(const Interest *interest, Probe **ret);

/** probe_new() - a probe that knows nothing. Return: 0 or -ENOMEM. */
int probe_new(Probe **ret);

/** probe_free() - release a probe; NULL is ignored */
Probe *probe_free(Probe *probe);
DEFINE_CLEANUP(Probe *, probe_free);

/** probe_to_json() - the document that a snapshot keeps. Return: 0 or -ENOMEM. */
int probe_to_json(const Probe *probe, json_object **ret);

/** probe_from_json() - read a snapshot's document. Return: 0, -EBADMSG or -ENOMEM. */
int probe_from_json(json_object *o, Probe **ret);
