/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/credential.h"
#include "agent/side.h"

int guest_policy_read(const Side *side, const Root *root, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = side_read_policy_files(side, root, &policy);
        if (r < 0)
                return r;
        r = credential_note(side, root, policy);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}
