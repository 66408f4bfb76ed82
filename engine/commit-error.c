/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/commit-internal.h"

void commit_set_error(Commit *c, char *sentence) {
        free(*c->error);
        *c->error = sentence;
}

int commit_fail(Commit *c, int r, const char *path, const char *what) {
        commit_set_error(c, xasprintf("%s %s: %s", path, what, error_text(-r)));
        return r;
}
