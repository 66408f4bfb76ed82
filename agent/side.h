/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The guest as a side of the engine: the table of practices, and where policy and ledger are. A new practice is a folder
 * of its own and a line in agent/side.c.
 */

#include "engine/side.h"

extern const Side guest_side;

/** guest_policy_read() - Side.read_policy: the policy files, and what is recorded of the host's credential */
int guest_policy_read(const Side *side, const Root *root, Policy **ret);
