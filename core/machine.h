/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The machine: what is true of this guest, read once per report.
 */

#include "core/bootentry.h"
#include "core/probe.h"
#include "core/root.h"

/* Where a root stands in the life of a machine. */
typedef enum MachineKind {
        MACHINE_LIVE,     /* the running system */
        MACHINE_IMAGE,    /* a tree that will be booted later: attributes do not exist yet */
        MACHINE_SNAPSHOT, /* a running system somewhere else, taken by `gtune snapshot`: attributes are files */
} MachineKind;

typedef struct Machine {
        MachineKind kind;
        Probe *probe;          /* what a tree cannot hold: architecture, kernel release, CPUID, kernel log */
        char *boot_id;         /* NULL for an image */
        char *os_id, *os_version;
        char *virtualization;  /* "kvm", "qemu", "vmware", …, "none"; NULL where it cannot be known (an image) */
        char *container;       /* "docker", …; NULL outside containers */
        unsigned possible_cpus; /* 0: unknown */

        char *cmdline_text;    /* of the running kernel; NULL: unknown */
        Cmdline cmdline;

        Buffer config;         /* the kernel's configuration; empty: unknown */

        const BootEntry **entries; /* of all boot stores; the stores own them */
        size_t n_entries;
        char *entries_error;       /* why the boot entries cannot be relied on; NULL: they can */
        const char *entries_error_code;
        bool entries_none;         /* nothing was found that boots this system */
} Machine;

/**
 * machine_read() - read what is true of the machine below a root
 * @root: the root
 * @arch: architecture of an image, or NULL for the one of the running kernel
 * @interest: what practices want to know
 * @ret: takes the machine; the caller frees it
 *
 * A source that is missing leaves its field unknown. Return: 0; -EBADMSG where gtuned-machine.json is no snapshot's;
 * -ENOMEM.
 */
int machine_read(const Root *root, const char *arch, const Interest *interest, Machine **ret);

/** machine_free() - release a machine; NULL is ignored */
Machine *machine_free(Machine *machine);
DEFINE_CLEANUP(Machine *, machine_free);

/** machine_add_entry() - make a boot entry known; it must outlive the machine. Return: 0 or -ENOMEM. */
int machine_add_entry(Machine *machine, const BootEntry *entry);

/**
 * machine_kernel_option() - an option of the kernel's configuration
 * @machine: the machine
 * @name: with its prefix, as "CONFIG_HALTPOLL_CPUIDLE"
 *
 * Return: 'y', 'm', 'n' (not set), or 0 where the configuration is unknown.
 */
char machine_kernel_option(const Machine *machine, const char *name) _pure_;

/** machine_parameter() - the token of the running kernel's command line that decides, or NULL */
const Token *machine_parameter(const Machine *machine, const char *name) _pure_;
