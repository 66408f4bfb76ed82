/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether the key of a quote is the one that is known of the guest.
 */

#include "host/proof.h"

/**
 * recognise() - compare the key of a proof with what is remembered under the target's name, and under others
 * @t: the target, which has a name; the directory of keys is locked
 * @proof: a checked quote; its key and key_status are set
 *
 * Return: 0, also where nothing is known yet; CAUSE_BAD_QUOTE or CAUSE_KEY_STORE, with the detail set; -ENOMEM.
 */
int recognise(Target *t, Proof *proof);

/** remember() - store the key of a proof under the target's name. Return: 0; CAUSE_KEY_STORE; -ENOMEM. */
int remember(Target *t, const Proof *proof);
