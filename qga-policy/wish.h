/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the policy wants of which RPC.
 */

#include "core/practice.h"
#include "qga-policy/catalogue.h"

typedef struct Wish {
        bool restricts;  /* some list is not empty */
        bool allows;     /* there is an allow list: what is not in it is to be closed */
        Names closed;    /* of the RPCs that this qemu-ga has */
        Names open;      /* likewise; asked for by name or group, and not blocked */
        Names missing;   /* named one by one in the policy, and this qemu-ga does not have them */
        bool spoken_of[_RPC_GROUP_MAX]; /* whether the policy says anything of a group */
} Wish;

/** The keys of [qga-policy]. */
extern const PolicyKey wish_keys[];
#define WISH_N_KEYS 4U

/** wish_restricts() - whether the policy restricts anything at all */
bool wish_restricts(const Policy *policy);

/**
 * wish_check() - look for names that nobody knows, and note them as errors of the policy
 * @policy: the policy
 * @known: the RPCs of the installed qemu-ga, besides those of the catalogue
 *
 * Return: 0 or -ENOMEM.
 */
int wish_check(Policy *policy, const Names *known);

/**
 * wish_read() - what the policy means for a qemu-ga
 * @policy: the policy
 * @names: the RPCs that the qemu-ga has
 * @ret: takes the answer; the caller calls wish_done()
 *
 * Block wins over allow. Return: 0 or -ENOMEM.
 */
int wish_read(const Policy *policy, const Names *names, Wish *ret);

/** wish_done() - release what wish_read() filled in */
void wish_done(Wish *wish);
