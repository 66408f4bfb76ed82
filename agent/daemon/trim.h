/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * trim_memory() - return the memory that an idle daemon does not need to the kernel
 *
 * After a survey the heap consists of many small holes, and the code that ran is mapped. Both would count as the
 * daemon's memory, although no request may come for hours. Code is mapped again from the page cache when it runs again.
 */
void trim_memory(void);
