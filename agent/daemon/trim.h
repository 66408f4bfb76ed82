/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * trim_memory() - give the kernel what an idle daemon does not need
 *
 * A survey leaves its heap behind in many small holes, and the code that it ran through mapped. Both would count as
 * ours for good, though nobody may ask for hours. Code comes back from the page cache when it runs again.
 */
void trim_memory(void);
