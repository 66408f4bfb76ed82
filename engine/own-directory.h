/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The directories that gtuned made for its files. */

#include "core/ledger.h"

/**
 * own_directories_remove() - remove those directories that are empty and hold none of gtuned's files
 * @root: the root
 * @made: the ledger that records the directories
 * @files: the ledger that records the files that are there now
 *
 * A directory that is not empty is the administrator's from now on. What cannot be removed is left.
 */
void own_directories_remove(const Root *root, const Ledger *made, const Ledger *files);

/** own_directories_settle() - the same with one ledger, which then records only the directories of its files */
void own_directories_settle(const Root *root, Ledger *ledger);
