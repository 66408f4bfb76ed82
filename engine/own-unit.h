/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether an apply would kill itself: a service that runs programs for others may run this one, and be the unit that has
 * to be restarted.
 */

#include "engine/transaction.h"

/**
 * own_unit() - the unit that this process belongs to, if a transaction restarts it
 * @root: the running system's root
 * @t: the transaction
 *
 * Return: its name, owned by the transaction, or NULL.
 */
const char *own_unit(const Root *root, const Transaction *t);
