/* SPDX-License-Identifier: Apache-2.0 */

#include "qga-policy/catalogue.h"

#define RPC_WORD_MAX 64U

/* QEMU 10.0: qga/qapi-schema.json, the lines "Since:". */
const Rpc rpcs[] = {
        {"guest-file-open", RPC_FILE_ACCESS, "0.15", false},
        {"guest-file-close", RPC_FILE_ACCESS, "0.15", false},
        {"guest-file-read", RPC_FILE_ACCESS, "0.15", false},
        {"guest-file-write", RPC_FILE_ACCESS, "0.15", false},
        {"guest-file-seek", RPC_FILE_ACCESS, "0.15", false},
        {"guest-file-flush", RPC_FILE_ACCESS, "0.15", false},
        {"guest-exec", RPC_EXEC, "2.5", false},
        {"guest-exec-status", RPC_EXEC, "2.5", false},
        {"guest-set-user-password", RPC_CREDENTIALS, "2.3", false},
        {"guest-ssh-get-authorized-keys", RPC_CREDENTIALS, "5.2", false},
        {"guest-ssh-add-authorized-keys", RPC_CREDENTIALS, "5.2", false},
        {"guest-ssh-remove-authorized-keys", RPC_CREDENTIALS, "5.2", false},
        {"guest-shutdown", RPC_POWER, "0.15", false},
        {"guest-suspend-disk", RPC_POWER, "1.1", false},
        {"guest-suspend-ram", RPC_POWER, "1.1", false},
        {"guest-suspend-hybrid", RPC_POWER, "1.1", false},
        {"guest-set-time", RPC_TIME, "1.5", false},
        {"guest-fsfreeze-status", RPC_FREEZE, "0.15", false},
        {"guest-fsfreeze-freeze", RPC_FREEZE, "0.15", false},
        {"guest-fsfreeze-freeze-list", RPC_FREEZE, "2.2", false},
        {"guest-fsfreeze-thaw", RPC_FREEZE, "0.15", false},
        {"guest-fstrim", RPC_FREEZE, "1.2", false},
        {"guest-set-vcpus", RPC_HOTPLUG, "1.5", false},
        {"guest-set-memory-blocks", RPC_HOTPLUG, "2.3", false},
        {"guest-sync", RPC_INFO, "0.15", false},
        {"guest-sync-delimited", RPC_INFO, "1.1", false},
        {"guest-ping", RPC_INFO, "0.15", false},
        {"guest-info", RPC_INFO, "0.15", false},
        {"guest-get-time", RPC_INFO, "1.5", false},
        {"guest-network-get-interfaces", RPC_INFO, "1.1", false},
        {"guest-network-get-route", RPC_INFO, "9.1", false},
        {"guest-get-vcpus", RPC_INFO, "1.5", false},
        {"guest-get-fsinfo", RPC_INFO, "2.2", false},
        {"guest-get-memory-blocks", RPC_INFO, "2.3", false},
        {"guest-get-memory-block-info", RPC_INFO, "2.3", false},
        {"guest-get-host-name", RPC_INFO, "2.10", false},
        {"guest-get-users", RPC_INFO, "2.10", false},
        {"guest-get-timezone", RPC_INFO, "2.10", false},
        {"guest-get-osinfo", RPC_INFO, "2.10", false},
        {"guest-get-disks", RPC_INFO, "5.2", false},
        {"guest-get-devices", RPC_INFO, "5.2", true},
        {"guest-get-diskstats", RPC_INFO, "7.1", false},
        {"guest-get-cpustats", RPC_INFO, "7.1", false},
        {"guest-get-load", RPC_INFO, "10.0", false},
};
const size_t n_rpcs = ELEMENTSOF(rpcs);

const RpcNeed rpc_needs[] = {
        {"libvirt", "it begins every conversation with it", {"guest-sync"}},
        {"libvirt", "shutdown and reboot through the agent", {"guest-shutdown"}},
        {"libvirt",
         "consistent snapshots",
         {"guest-fsfreeze-status", "guest-fsfreeze-freeze", "guest-fsfreeze-freeze-list", "guest-fsfreeze-thaw"}},
        {"libvirt", "`virsh set-user-password`", {"guest-set-user-password"}},
        {"KubeVirt",
         "its check of the agent and what it shows of the guest",
         {"guest-ping", "guest-get-time", "guest-info", "guest-shutdown", "guest-network-get-interfaces",
          "guest-get-fsinfo", "guest-get-host-name", "guest-get-users", "guest-get-timezone", "guest-get-osinfo"}},
        {"OpenStack", "quiesced snapshots", {"guest-fsfreeze-status", "guest-fsfreeze-freeze", "guest-fsfreeze-thaw"}},
        {"OpenStack", "the password of a server", {"guest-set-user-password"}},
        {"Proxmox VE", "shutdown through the agent", {"guest-ping", "guest-shutdown"}},
        {"Proxmox VE",
         "consistent backups",
         {"guest-fsfreeze-status", "guest-fsfreeze-freeze", "guest-fsfreeze-thaw"}},
        {"Proxmox VE", "what it shows of the guest", {"guest-network-get-interfaces", "guest-get-fsinfo"}},
};
const size_t n_rpc_needs = ELEMENTSOF(rpc_needs);

static const struct {
        const char *name, *meaning;
        bool hardened;
} rpc_groups[_RPC_GROUP_MAX] = {
        [RPC_FILE_ACCESS] = {"file-access", "read and write any file of the guest", true},
        [RPC_EXEC] = {"exec", "run any program in the guest as root", true},
        [RPC_CREDENTIALS] = {"credentials", "set passwords and SSH keys", true},
        [RPC_POWER] = {"power", "shut down and suspend the guest", false},
        [RPC_TIME] = {"time", "set the guest's clock", false},
        [RPC_FREEZE] = {"freeze", "freeze, thaw and trim file systems", false},
        [RPC_HOTPLUG] = {"hotplug", "take CPUs and memory on and off line", false},
        [RPC_INFO] = {"info", "ask what the guest is and how it does", false},
};

const Rpc *rpc_find_n(const char *name, size_t size) {
        for (size_t i = 0; i < n_rpcs; i++)
                if (strlen(rpcs[i].name) == size && memcmp(rpcs[i].name, name, size) == 0)
                        return rpcs + i;

        return NULL;
}

const Rpc *rpc_find(const char *name) {
        return rpc_find_n(name, strlen(name));
}

RpcGroup rpc_group_of(const char *name) {
        const Rpc *rpc = rpc_find(name);

        return rpc ? rpc->group : RPC_INFO;
}

const char *rpc_group_name(RpcGroup group) {
        return rpc_groups[group].name;
}

const char *rpc_group_meaning(RpcGroup group) {
        return rpc_groups[group].meaning;
}

RpcGroup rpc_group_from_name(const char *name) {
        for (RpcGroup g = 0; g < _RPC_GROUP_MAX; g++)
                if (streq(rpc_groups[g].name, name))
                        return g;

        return _RPC_GROUP_INVALID;
}

bool rpc_group_is_hardened(RpcGroup group) {
        return rpc_groups[group].hardened;
}

/* The Levenshtein distance: how many characters have to be changed, added or removed. */
static size_t rpc_distance(const char *a, const char *b) {
        size_t row[RPC_WORD_MAX + 1], n = strlen(b);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j], left = row[j - 1], change = diagonal + (a[i - 1] != b[j - 1]);

                        row[j] = (above < left ? above : left) + 1;
                        if (change < row[j])
                                row[j] = change;
                        diagonal = above;
                }
        }

        return row[n];
}

static void rpc_consider(const char *word, const char *candidate, const char **best, size_t *best_distance) {
        size_t d;

        if (strlen(candidate) > RPC_WORD_MAX)
                return;

        d = rpc_distance(word, candidate);
        if (d >= *best_distance)
                return;

        *best = candidate;
        *best_distance = d;
}

const char *rpc_nearest(const char *word, const Names *more) {
        size_t best_distance = strlen(word) / 3 + 2;
        const char *best = NULL;

        if (strlen(word) > RPC_WORD_MAX)
                return NULL;

        for (RpcGroup g = 0; g < _RPC_GROUP_MAX; g++)
                rpc_consider(word, rpc_groups[g].name, &best, &best_distance);
        for (size_t i = 0; i < n_rpcs; i++)
                rpc_consider(word, rpcs[i].name, &best, &best_distance);
        for (size_t i = 0; more && i < more->n; i++)
                rpc_consider(word, more->list[i], &best, &best_distance);

        return best;
}
