/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The machine: facts about the system below a root, read once for each report.
 */

#include "core/bootentry.h"
#include "core/probe.h"
#include "core/root.h"

/* The kind of system that a root holds. */
typedef enum MachineKind {
        MACHINE_LIVE,     /* the running system */
        MACHINE_IMAGE,    /* a tree that will be booted later: attributes do not exist yet */
        MACHINE_SNAPSHOT, /* a copy of a running system, made by `gtune snapshot`: attributes are ordinary files */
} MachineKind;

typedef struct Machine {
        MachineKind kind;
        Probe *probe;          /* facts that no file holds: architecture, kernel release, CPUID, kernel log */
        char *boot_id;         /* NULL for an image */
        char *os_id, *os_version;
        char *virtualization;  /* "kvm", "qemu", "vmware", …, "none"; NULL: unknown, as in an image */
        char *container;       /* "docker", …; NULL outside containers */
        unsigned possible_cpus; /* 0: unknown */

        char *cmdline_text;    /* of the running kernel; NULL: unknown */
        Cmdline cmdline;

        Buffer config;         /* the kernel's configuration; empty: unknown */

        const BootEntry **entries; /* of all boot stores, which own them */
        size_t n_entries;
        char *entries_error;       /* why the list of boot entries may be wrong or incomplete; NULL: it is right */
        const char *entries_error_code; /* its reason code */
        bool entries_none;         /* no entry that boots this system was found */
} Machine;

/**
 * machine_read() - read the facts about the machine below a root
 * @root: the root
 * @arch: architecture of an image; NULL: that of its kernel or, if unknown, of the running kernel
 * @interest: the lines and services that practices look for
 * @ret: takes the machine; the caller frees it
 *
 * If a source is missing, its field stays unknown. Return: 0; -EBADMSG if gtuned-machine.json was not written by a
 * snapshot; -ENOMEM; -errno of uname(2).
 */
int machine_read(const Root *root, const char *arch, const Interest *interest, Machine **ret);

/** machine_free() - release a machine; NULL is ignored */
Machine *machine_free(Machine *machine);
DEFINE_CLEANUP(Machine *, machine_free);

/** machine_add_entry() - add a boot entry, which must outlive the machine. Return: 0 or -ENOMEM. */
int machine_add_entry(Machine *machine, const BootEntry *entry);

/**
 * machine_kernel_option() - look up an option of the kernel's configuration
 * @machine: the machine
 * @name: with its prefix, as "CONFIG_HALTPOLL_CPUIDLE"
 *
 * Return: 'y', 'm', 'n' (not set), or 0 if the configuration is unknown.
 */
char machine_kernel_option(const Machine *machine, const char *name) _pure_;

/** machine_parameter() - find the token that decides a parameter of the running kernel, or NULL */
const Token *machine_parameter(const Machine *machine, const char *name) _pure_;
