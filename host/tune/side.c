/* SPDX-License-Identifier: Apache-2.0 */

#include "host/tune/side.h"

/* No practice of the host is written yet. */
const Side host_side = {
        .name = "host",
        .policy_name = "gtuned/host.conf",
        .state_directory = "/var/lib/gtuned",
        .run_directory = "/run/gtuned/host",
        .apply_unit = "gtuned-host-apply.service",
        .ledger_name = "host-ledger.json",
        .read_policy = side_read_policy_files,
};
