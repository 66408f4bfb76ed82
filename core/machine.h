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

/* An option of the kernel's configuration. */
typedef struct KernelOption {
        const char *name; /* of Interest; not owned */
        char value;       /* 'y', 'm' or 'n' (not set) */
} KernelOption;

typedef struct Machine {
        MachineKind kind;
        Probe *probe;          /* facts that no file holds: architecture, kernel release, CPUID, kernel log */
        char *boot_id;         /* NULL for an image */
        char *os_id, *os_version;
        char *virtualization;  /* "kvm", "qemu", "vmware", …, "vm-other", "none"; NULL: unknown, as in an image */
        char *container;       /* "docker", …; NULL outside containers */
        unsigned possible_cpus; /* 0: unknown */

        char *problem;         /* why an image must not be worked on: what tells its architecture disagrees; NULL: nothing */
        char *cmdline_text;    /* of the running kernel, its secrets redacted; NULL: unknown */
        Cmdline cmdline;       /* the same, with its secrets */

        bool config_known;     /* the kernel's configuration was found */
        KernelOption *options; /* those that practices look for */
        size_t n_options;

        const BootEntry **entries; /* of all boot stores, which own them */
        size_t n_entries;
        char *entries_error;       /* why the list of boot entries may be wrong or incomplete; NULL: it is right */
        const char *entries_error_code; /* its reason code */
        bool entries_built;        /* what boots is built anew of the template among the entries, such as an image */
        bool entries_none;         /* no entry of this system was found, or can be read: what runs is all that is known */
        char **remarks;            /* files with command lines that gtuned leaves alone, or does not wholly know */
        size_t n_remarks;
} Machine;

/**
 * machine_read() - read the facts about the machine below a root
 * @root: the root
 * @arch: architecture of an image; NULL: that of its kernel and programs or, if unknown, of the running kernel
 * @interest: what practices look for; the names of kernel options must outlive the machine
 * @ret: takes the machine; the caller frees it
 *
 * Of the running system, log and services are read by the functions below; a snapshot has them in the same file.
 * If a source is missing, its field stays unknown. Return: 0; -EBADMSG if gtuned-machine.json was not written by a
 * snapshot; -ENOMEM; -errno of uname(2).
 */
int machine_read(const Root *root, const char *arch, const Interest *interest, Machine **ret);

/**
 * machine_read_log() - read the kernel log of the running system, anew if it was read before
 * @machine: the machine; unchanged if it is not the running system
 * @root: the root
 * @interest: the lines that practices look for, and where the boot unit kept them
 *
 * Return: 0 or -ENOMEM.
 */
int machine_read_log(Machine *machine, const Root *root, const Interest *interest);

/** machine_read_services() - the same of the services that practices look at */
int machine_read_services(Machine *machine, const Interest *interest);

/** machine_free() - release a machine; NULL is ignored */
Machine *machine_free(Machine *machine);
DEFINE_CLEANUP(Machine *, machine_free);

/** machine_forget_entries() - drop all boot entries, and what was said of their list */
void machine_forget_entries(Machine *machine);

/** machine_add_entry() - add a boot entry, which must outlive the machine. Return: 0 or -ENOMEM. */
int machine_add_entry(Machine *machine, const BootEntry *entry);

/** machine_add_remark() - add a sentence about the boot files, which is taken. Return: 0 or -ENOMEM, also of NULL. */
int machine_add_remark(Machine *machine, char *remark);

/**
 * machine_kernel_option() - look up an option of the kernel's configuration
 * @machine: the machine
 * @name: with its prefix, as "CONFIG_HALTPOLL_CPUIDLE"; one that Interest names
 *
 * Return: 'y', 'm', 'n' (not set), or 0 if the configuration is unknown.
 */
char machine_kernel_option(const Machine *machine, const char *name) _pure_;

/** machine_parameter() - find the token that decides a parameter of the running kernel, or NULL */
const Token *machine_parameter(const Machine *machine, const char *name) _pure_;
