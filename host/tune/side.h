/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The host as a side of the engine. A new practice of the host is one file in this folder and one row in
 * host/tune/side.c.
 */

#include "engine/side.h"

extern const Side host_side;
