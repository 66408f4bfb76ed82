/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the golden machines, tests/roots. */

#include <assert.h>
#include <sys/utsname.h>

#include "core/cpuid.h"
#include "core/probe.h"

int probe_new(Probe **ret) {
        Probe *probe = calloc(1, sizeof(*probe));

        if (!probe)
                return -ENOMEM;

        probe->dedicated_hint = -1;
        probe->log = KERNEL_LOG_NULL;
        *ret = probe;
        return 0;
}

Probe *probe_free(Probe *probe) {
        if (!probe)
                return NULL;

        free(probe->arch);
        free(probe->kernel_release);
        free(probe->hypervisor);
        kernel_log_done(&probe->log);
        services_done(&probe->services);
        free(probe);
        return NULL;
}

int probe_live(Probe **ret) {
        _cleanup_(probe_freep) Probe *probe = NULL;
        struct utsname u;
        int r;

        r = probe_new(&probe);
        if (r < 0)
                return r;

        if (uname(&u) < 0)
                return negative_errno();
        if (free_and_strdup(&probe->arch, u.machine) < 0 || free_and_strdup(&probe->kernel_release, u.release) < 0)
                return -ENOMEM;

        r = cpuid_read(&probe->hypervisor, &probe->dedicated_hint);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(probe);
        return 0;
}

int probe_to_json(const Probe *probe, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *services = NULL, *log = NULL;
        json_object *hint = probe->dedicated_hint < 0 ? NULL : json_object_new_boolean(probe->dedicated_hint);

        if (!o || json_set(o, "dedicated_hint", hint) < 0 || json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "arch", probe->arch) < 0 || json_set_text(o, "kernel", probe->kernel_release) < 0 ||
            json_set_text(o, "hypervisor", probe->hypervisor) < 0 || kernel_log_to_json(&probe->log, &log) < 0 ||
            json_set(o, "kernel_log", log) < 0 ||
            (probe->services.known && services_to_json(&probe->services, &services) < 0) ||
            json_set(o, "services", services) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int probe_from_json(json_object *o, Probe **ret) {
        _cleanup_(probe_freep) Probe *probe = NULL;
        json_object *part;
        int r;

        r = probe_new(&probe);
        if (r < 0)
                return r;
        if (!json_get_text(o, "arch"))
                return -EBADMSG;
        if (free_and_strdup(&probe->arch, json_get_text(o, "arch")) < 0 ||
            free_and_strdup(&probe->kernel_release, json_get_text(o, "kernel")) < 0 ||
            free_and_strdup(&probe->hypervisor, json_get_text(o, "hypervisor")) < 0)
                return -ENOMEM;

        if (json_object_object_get_ex(o, "dedicated_hint", &part) && json_object_is_type(part, json_type_boolean))
                probe->dedicated_hint = json_object_get_boolean(part);
        if (json_object_object_get_ex(o, "kernel_log", &part)) {
                r = kernel_log_from_json(part, &probe->log);
                if (r < 0)
                        return r;
        }

        if (json_object_object_get_ex(o, "services", &part) && part) {
                r = services_from_json(part, &probe->services);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(probe);
        return 0;
}
