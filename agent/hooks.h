/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What only gtune does around an apply (cli/verb.h): it takes the host's credential before, keeps the TPM's verdict on
 * this boot after, and says which PCRs a plan changes.
 */

#include "cli/verb.h"

extern const Hooks gtune_hooks;
