/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/utsname.h>

#include "core/probe.h"
#include "core/replace.h"

/* More lines than this of one kind say nothing new. */
#define LOG_LINES_MAX 256U

static const char *const log_reach_names[_LOG_REACH_MAX] = {
        [LOG_COMPLETE] = "complete",
        [LOG_WRAPPED] = "wrapped",
        [LOG_UNREADABLE] = "unreadable",
        [LOG_ABSENT] = "absent",
};

static LogReach log_reach_from_string(const char *s) {
        for (LogReach i = 0; s && i < _LOG_REACH_MAX; i++)
                if (streq(log_reach_names[i], s))
                        return i;

        return _LOG_REACH_INVALID;
}

int probe_new(Probe **ret) {
        Probe *probe = calloc(1, sizeof(*probe));

        if (!probe)
                return -ENOMEM;

        probe->dedicated_hint = -1;
        probe->log_reach = LOG_ABSENT;
        *ret = probe;
        return 0;
}

Probe *probe_free(Probe *probe) {
        if (!probe)
                return NULL;

        free(probe->arch);
        free(probe->kernel_release);
        free(probe->hypervisor);
        strv_free(probe->log);
        services_done(&probe->services);
        free(probe);
        return NULL;
}

static bool matches(const char *line, const char *const *patterns) {
        for (const char *const *p = patterns; *p; p++)
                if (strstr(line, *p))
                        return true;

        return false;
}

int probe_add_log(Probe *probe, const char *line, size_t size, const char *const *patterns) {
        _cleanup_free_ char *copy = strndup(line, size);

        if (!copy)
                return -ENOMEM;
        if (probe->n_log >= LOG_LINES_MAX || !matches(copy, patterns))
                return 0;
        if (grow(&probe->log, probe->n_log + 1, sizeof(char *)) < 0)
                return -ENOMEM;

        probe->log[probe->n_log++] = TAKE_PTR(copy);
        probe->log[probe->n_log] = NULL;
        return 0;
}

void probe_clear_log(Probe *probe) {
        probe->log = strv_free(probe->log);
        probe->n_log = 0;
}

int probe_live(const Interest *interest, Probe **ret) {
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

        r = cpuid_read(probe);
        if (r >= 0)
                r = kernel_log_read(probe, interest->log_patterns);
        if (r >= 0)
                r = services_read(interest->services, interest->n_services, &probe->services);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(probe);
        return 0;
}

static int log_to_json(const Probe *probe, json_object *o) {
        json_object *log = json_object_new_object(), *lines = json_object_new_array();

        if (json_set(o, "kernel_log", log) < 0 || json_set(log, "lines", lines) < 0 ||
            json_set_text(log, "reach", log_reach_names[probe->log_reach]) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < probe->n_log; i++)
                if (json_add(lines, json_text(probe->log[i])) < 0)
                        return -ENOMEM;

        return 0;
}

int probe_to_json(const Probe *probe, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *services = NULL;
        json_object *hint = probe->dedicated_hint < 0 ? NULL : json_object_new_boolean(probe->dedicated_hint);

        if (!o || json_set(o, "dedicated_hint", hint) < 0 || json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "arch", probe->arch) < 0 || json_set_text(o, "kernel", probe->kernel_release) < 0 ||
            json_set_text(o, "hypervisor", probe->hypervisor) < 0 || log_to_json(probe, o) < 0 ||
            (probe->services.known && services_to_json(&probe->services, &services) < 0) ||
            json_set(o, "services", services) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int services_part(json_object *o, Probe *probe) {
        json_object *part;

        return json_object_object_get_ex(o, "services", &part) && part ? services_from_json(part, &probe->services)
                                                                       : 0;
}

static int log_from_json(json_object *log, Probe *probe) {
        static const char *const everything[] = {"", NULL};
        json_object *lines = json_get_array(log, "lines");
        LogReach reach = log_reach_from_string(json_get_text(log, "reach"));

        if (!lines || reach < 0)
                return -EBADMSG;

        probe->log_reach = reach;
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
                json_object *line = json_object_array_get_idx(lines, i);

                if (!json_object_is_type(line, json_type_string))
                        return -EBADMSG;
                if (probe_add_log(probe, json_object_get_string(line), (size_t) json_object_get_string_len(line),
                                  everything) < 0)
                        return -ENOMEM;
        }

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
                r = log_from_json(part, probe);
                if (r < 0)
                        return r;
        }

        r = services_part(o, probe);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(probe);
        return 0;
}

int probe_keep_log(const Root *root, const Probe *probe) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (probe->log_reach != LOG_COMPLETE || root_exists(root, KEPT_LOG_PATH))
                return 0;
        if (!o || log_to_json(probe, o) < 0)
                return -ENOMEM;

        r = json_format_pretty(o, &text);
        return r < 0 ? r : replace_file(root, KEPT_LOG_PATH, &text, 0644);
}

/* The lines that the ring still has are newer than the kept ones, and go behind them. */
static int put_behind(json_object *kept, Probe *probe) {
        static const char *const everything[] = {"", NULL};
        _cleanup_(strv_freep) char **ring = TAKE_PTR(probe->log);
        int r;

        probe->n_log = 0;
        r = log_from_json(kept, probe);
        for (char **line = ring; r != -ENOMEM && line && *line; line++)
                if (probe_add_log(probe, *line, strlen(*line), everything) < 0)
                        r = -ENOMEM;

        return r == -ENOMEM ? r : 0;
}

int probe_recall_log(const Root *root, Probe *probe) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;
        json_object *kept;
        int r;

        if (probe->log_reach == LOG_COMPLETE)
                return 0;

        r = root_read(root, KEPT_LOG_PATH, 1024U * 1024U, &text);
        if (r >= 0)
                r = json_parse(text.data, text.size, &o);
        if (r < 0 || !json_object_object_get_ex(o, "kernel_log", &kept))
                return r == -ENOMEM ? r : 0;

        return put_behind(kept, probe);
}
