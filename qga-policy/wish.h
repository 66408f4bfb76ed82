/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which RPCs the policy wants closed, and which open.
 */

#include "core/practice.h"
#include "qga-policy/catalogue.h"

typedef struct Wish {
        bool restricts;  /* the policy closes something: see wish_restricts() */
        bool allows;     /* there is an allow list: RPCs that it does not have are to be closed */
        Names closed;    /* RPCs of this qemu-ga that are to be closed */
        Names open;      /* RPCs of this qemu-ga that the allow list has, by name or group, and that are not blocked */
        Names missing;   /* names in the policy of RPCs that this qemu-ga does not have */
        Names disputed;  /* RPCs that the allow list of one file of the policy has and that of another has not */
        bool spoken_of[_RPC_GROUP_MAX]; /* whether the policy mentions the group or an RPC of it */
} Wish;

/** The keys of [qga-policy]. */
extern const PolicyKey wish_keys[];
#define WISH_N_KEYS 4U

/** wish_restricts() - whether block, allow or preset of the policy close anything */
bool wish_restricts(const Policy *policy);

/**
 * wish_check() - note each malformed or unknown name as an error of the policy
 * @policy: the policy
 * @known: the RPCs of the installed qemu-ga, besides those of the catalogue
 *
 * Return: 0 or -ENOMEM.
 */
int wish_check(Policy *policy, const Names *known);

/**
 * wish_read() - find out what the policy means for a qemu-ga
 * @policy: the policy
 * @names: the RPCs that the qemu-ga has
 * @ret: takes the answer; the caller calls wish_done()
 *
 * The lists of the policy's files restrict, and what any of them closes is closed: block wins over allow, and an allow
 * list closes what it does not have even if that of another file has it. Return: 0 or -ENOMEM.
 */
int wish_read(const Policy *policy, const Names *names, Wish *ret);

/** wish_done() - release what wish_read() filled in */
void wish_done(Wish *wish);
