/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Looking at a path a second time, to find out whether it still is as a report says (see Sight in core/root.h).
 */

#include "core/root.h"

/**
 * sight_again() - look at a path as before
 * @root: the root; must not be traced
 * @sight: what was seen before; digest is replaced
 *
 * Return: 0, or -ENOMEM and the sight is unchanged.
 */
int sight_again(Root *root, Sight *sight);
