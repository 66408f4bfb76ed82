/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compares the key of a quote with the records of known keys. The test is tests/host/lying-quotes.py.
 */

#include "host/proof.h"

/**
 * recognise() - compare the key and counters of a proof with the record of the target's name, and with other records
 * @t: the target; must have a name; the caller holds the lock of the directory of keys
 * @proof: the proof; its key, key_status and other_name are set
 *
 * Return: 0 if the key is known, new, or accepted with --accept-key; CAUSE_BAD_QUOTE if it is refused, or
 * CAUSE_KEY_STORE if records cannot be read, with t->detail set; -ENOMEM.
 */
int recognise(Target *t, Proof *proof);

/**
 * remember() - write the record of a guest
 * @t: the target; must have a name; the caller holds the lock of the directory of keys
 * @proof: a proof that recognise() accepted
 *
 * Return: 0; CAUSE_KEY_STORE with t->detail set if the record cannot be written; -ENOMEM.
 */
int remember(Target *t, const Proof *proof);
