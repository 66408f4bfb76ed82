/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/verb.h"

/** verb_snapshot() - write a tar file from which another machine makes the same report. Return: as every verb. */
int verb_snapshot(Context *c, char **arguments);
