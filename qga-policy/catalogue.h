/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The RPCs of the QEMU guest agent (QEMU: qga/qapi-schema.json), in groups that an administrator can decide about.
 */

#include "qga-policy/names.h"

typedef enum RpcGroup {
        RPC_FILE_ACCESS,
        RPC_EXEC,
        RPC_CREDENTIALS,
        RPC_POWER,
        RPC_TIME,
        RPC_FREEZE,
        RPC_HOTPLUG,
        RPC_INFO,
        _RPC_GROUP_MAX,
        _RPC_GROUP_INVALID = -EINVAL,
} RpcGroup;

typedef struct Rpc {
        const char *name;
        RpcGroup group;
        const char *since; /* the first version of QEMU that has it */
        bool windows;      /* only Windows guests have it */
} Rpc;

/* A function of a management system on the host, and the RPCs that it needs. */
typedef struct RpcNeed {
        const char *who;  /* the management system */
        const char *what; /* the function */
        const char *names[12]; /* NULL-terminated */
} RpcNeed;

extern const Rpc rpcs[];
extern const size_t n_rpcs;
extern const RpcNeed rpc_needs[];
extern const size_t n_rpc_needs;

/** rpc_find() - an RPC by its name, or NULL */
const Rpc *rpc_find(const char *name) _pure_;

/** rpc_find_n() - rpc_find() of the first @size bytes */
const Rpc *rpc_find_n(const char *name, size_t size) _pure_;

/** rpc_group_of() - the group of an RPC; an RPC that this catalogue does not know counts as info */
RpcGroup rpc_group_of(const char *name) _pure_;

/** rpc_group_name() - "file-access" and so on */
const char *rpc_group_name(RpcGroup group) _const_;

/** rpc_group_meaning() - what a host can do with it, in one line */
const char *rpc_group_meaning(RpcGroup group) _const_;

/** rpc_group_from_name() - the group that has a name. Return: the group or _RPC_GROUP_INVALID. */
RpcGroup rpc_group_from_name(const char *name) _pure_;

/** rpc_group_is_hardened() - whether preset = hardened closes a group */
bool rpc_group_is_hardened(RpcGroup group) _const_;

/**
 * rpc_nearest() - the known name that is most similar to a word
 * @word: the word, as an administrator wrote it
 * @more: names to compare with besides the groups and the catalogue, or NULL
 *
 * Return: a name at a Levenshtein distance of at most a third of the word's length plus one; NULL if there is none.
 */
const char *rpc_nearest(const char *word, const Names *more);
