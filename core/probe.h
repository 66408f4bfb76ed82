/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of a machine and stands in no file: uname, CPUID, the kernel log. A snapshot keeps it in
 * gtuned-machine.json, so that a tree can be judged as the machine itself would be.
 */

#include "core/json.h"
#include "core/root.h"
#include "core/service.h"

#define PROBE_PATH "/gtuned-machine.json"

/* How far back the kernel log reaches. */
typedef enum LogReach {
        LOG_COMPLETE,    /* to the first line of this boot */
        LOG_WRAPPED,     /* the beginning is lost */
        LOG_UNREADABLE,  /* no permission */
        LOG_ABSENT,      /* there is none, as of an image */
        _LOG_REACH_MAX,
        _LOG_REACH_INVALID = -EINVAL,
} LogReach;

typedef struct Probe {
        char *arch;           /* uname -m */
        char *kernel_release; /* uname -r; NULL: unknown */
        char *hypervisor;     /* CPUID signature such as "KVMKVMKVM"; "" on bare x86; NULL: no CPUID */
        int dedicated_hint;   /* KVM_HINTS_REALTIME: 1, 0, or -1 unknown */
        char **log;           /* kernel log lines that match, oldest first, without prefix; NULL-terminated */
        size_t n_log;
        LogReach log_reach;
        Services services;    /* those that practices want to know about */
} Probe;

/* What practices want to know. */
typedef struct Interest {
        const char *const *log_patterns; /* what a kernel log line must contain to be kept; NULL-terminated */
        const ServiceInterest *services;
        size_t n_services;
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

/*
 * The kernel log lines of this boot, kept below /run by the boot unit while the ring buffer still has them all.
 * The daemon sees no journal, so this is what it has left when the ring has wrapped.
 */
#define KEPT_LOG_PATH "/run/gtuned/kernel-log.json"

/** probe_keep_log() - keep the lines where they are complete and not kept yet. Return: 0 or -errno. */
int probe_keep_log(const Root *root, const Probe *probe);

/** probe_recall_log() - take the kept lines where the log is no longer complete. Return: 0 or -ENOMEM. */
int probe_recall_log(const Root *root, Probe *probe);

/** probe_add_log() - keep a line if it contains one of the patterns. Return: 0 or -ENOMEM. */
int probe_add_log(Probe *probe, const char *line, size_t size, const char *const *patterns);

/** probe_clear_log() - forget the lines that were kept */
void probe_clear_log(Probe *probe);

/**
 * kernel_log_read() - read the kernel's own lines of this boot from the ring buffer or, where that has
 * wrapped, from the journal
 * @probe: takes the lines that match, and how far they reach
 * @patterns: NULL-terminated
 *
 * Only lines of the kernel facility count: anybody who may write /dev/kmsg can write the same words with
 * another facility (printk.c: devkmsg_write() never grants facility 0). Return: 0 or -ENOMEM.
 */
int kernel_log_read(Probe *probe, const char *const *patterns);

/** cpuid_read() - fill in hypervisor and dedicated_hint where the processor has CPUID. Return: 0 or -ENOMEM. */
int cpuid_read(Probe *probe);
