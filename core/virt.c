/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the golden machines, tests/roots. */

#include "core/virt.h"

typedef struct VirtWord {
        const char *prefix;
        const char *name;
} VirtWord;

static const VirtWord virt_signatures[] = {
        {"KVMKVMKVM", "kvm"},       {"TCGTCGTCGTCG", "qemu"},  {"VMwareVMware", "vmware"},
        {"Microsoft Hv", "microsoft"}, {"XenVMMXenVMM", "xen"}, {"bhyve bhyve ", "bhyve"},
        {"VBoxVBoxVBox", "oracle"}, {"ACRNACRNACRN", "acrn"},
};

static const VirtWord virt_dmi_words[] = {
        {"KVM", "kvm"},         {"OpenStack", "kvm"},          {"KubeVirt", "kvm"},    {"Amazon EC2", "amazon"},
        {"QEMU", "qemu"},       {"VMware", "vmware"},          {"VMW", "vmware"},      {"innotek GmbH", "oracle"},
        {"VirtualBox", "oracle"}, {"Xen", "xen"},              {"Bochs", "bochs"},     {"Parallels", "parallels"},
        {"BHYVE", "bhyve"},     {"Hyper-V", "microsoft"},      {"Google Compute Engine", "google"},
        {"Apple Virtualization", "apple"},
};

static const char *virt_find_word(const VirtWord *words, size_t n, const char *text) {
        for (size_t i = 0; i < n; i++)
                if (startswith(text, words[i].prefix))
                        return words[i].name;

        return NULL;
}

static const char *virt_from_dmi(const Root *root) {
        static const char *const paths[] = {
                "/sys/class/dmi/id/product_name",
                "/sys/class/dmi/id/sys_vendor",
                "/sys/class/dmi/id/board_vendor",
                "/sys/class/dmi/id/bios_vendor",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_free_ char *text = NULL;
                const char *name;

                if (root_read_line(root, paths[i], &text) < 0)
                        continue;
                name = virt_find_word(virt_dmi_words, ELEMENTSOF(virt_dmi_words), text);
                if (name)
                        return name;
        }

        return NULL;
}

static const char *virt_from_device_tree(const Root *root) {
        _cleanup_free_ char *hypervisor = NULL, *compatible = NULL;

        if (root_read_line(root, "/proc/device-tree/hypervisor/compatible", &hypervisor) >= 0)
                return streq(hypervisor, "linux,kvm") ? "kvm" : strstr(hypervisor, "xen") ? "xen" : "vm-other";
        if (root_read_line(root, "/proc/device-tree/compatible", &compatible) >= 0 &&
            streq(compatible, "linux,dummy-virt"))
                return ""; /* QEMU or StratoVirt; the tree does not say whether they use KVM */

        return NULL;
}

static const char *virt_detect_machine(const Root *root, const Probe *probe) {
        const char *name;

        /* CPUID comes from the hypervisor itself. An operator can put any text into the tables of the firmware. */
        if (!isempty(probe->hypervisor)) {
                name = virt_find_word(virt_signatures, ELEMENTSOF(virt_signatures), probe->hypervisor);
                return name ? name : "vm-other";
        }

        name = probe->hypervisor ? NULL : virt_from_dmi(root);
        if (!name)
                name = virt_from_device_tree(root);

        return name ? name : "none";
}

int virt_detect(const Root *root, const Probe *probe, char **ret_virtualization, char **ret_container) {
        _cleanup_free_ char *container = NULL;
        const char *name = virt_detect_machine(root, probe), *runtime = NULL;

        if (root_read_line(root, "/run/systemd/container", &container) >= 0 && *container)
                *ret_container = TAKE_PTR(container);
        else if (root_exists(root, "/.dockerenv"))
                runtime = "docker";
        else if (root_exists(root, "/run/.containerenv"))
                runtime = "podman";
        if (runtime && free_and_strdup(ret_container, runtime) < 0)
                return -ENOMEM;

        return free_and_strdup(ret_virtualization, *name ? name : NULL);
}
