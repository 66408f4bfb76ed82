/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the golden machines, tests/roots. */

#include <assert.h>
#include <sys/utsname.h>

#include "core/image-arch.h"
#include "core/kernel-files.h"
#include "core/machine.h"
#include "core/secret.h"
#include "core/virt.h"

#define MACHINE_TEXT_MAX (64U * 1024U)

Machine *machine_free(Machine *machine) {
        if (!machine)
                return NULL;

        probe_free(machine->probe);
        free(machine->boot_id);
        free(machine->os_id);
        free(machine->os_version);
        free(machine->virtualization);
        free(machine->container);
        free(machine->cmdline_text);
        free(machine->problem);
        cmdline_done(&machine->cmdline);
        free(machine->options);
        machine_forget_entries(machine);
        free(machine);
        return NULL;
}

void machine_forget_entries(Machine *machine) {
        free(machine->entries);
        free(machine->entries_error);
        machine->entries = NULL;
        machine->n_entries = 0;
        machine->entries_error = NULL;
        machine->entries_error_code = NULL;
        machine->entries_none = false;
        machine->entries_built = false;

        for (size_t i = 0; i < machine->n_remarks; i++)
                free(machine->remarks[i]);
        free(machine->remarks);
        machine->remarks = NULL;
        machine->n_remarks = 0;
}

int machine_add_remark(Machine *machine, char *remark) {
        return strv_take(&machine->remarks, &machine->n_remarks, remark);
}

int machine_add_entry(Machine *machine, const BootEntry *entry) {
        if (grow(&machine->entries, machine->n_entries, sizeof(BootEntry *)) < 0)
                return -ENOMEM;

        machine->entries[machine->n_entries++] = entry;
        return 0;
}

const Token *machine_parameter(const Machine *machine, const char *name) {
        return cmdline_find(&machine->cmdline, name);
}

char machine_kernel_option(const Machine *machine, const char *name) {
        for (size_t i = 0; machine->config_known && i < machine->n_options; i++)
                if (streq(machine->options[i].name, name))
                        return machine->options[i].value;

        assert(!machine->config_known); /* the practice has to say that it looks for it */
        return 0;
}

/* Every option that is set has a line of its own in the kernel's configuration: "NAME=value". */
static char machine_find_option(const Buffer *config, const char *name) {
        size_t n = strlen(name);
        const char *p = config->data;

        while ((p = strstr(p, name))) {
                if ((p == config->data || p[-1] == '\n') && p[n] == '=')
                        return p[n + 1] == 'y' || p[n + 1] == 'm' ? p[n + 1] : 'n';
                p += n;
        }

        return 'n';
}

/* The whole configuration is far larger than all else that is known of a machine. */
static int machine_take_config(const Buffer *config, const Interest *interest, Machine *machine) {
        for (const char *const *name = interest->kernel_options; name && *name; name++) {
                if (grow(&machine->options, machine->n_options, sizeof(KernelOption)) < 0)
                        return -ENOMEM;

                machine->options[machine->n_options++] = (KernelOption) {
                        .name = *name,
                        .value = config->size > 0 ? machine_find_option(config, *name) : 0,
                };
        }

        machine->config_known = config->size > 0;
        return 0;
}

/* Count the CPUs of a list such as "0-3,8". Return: 0 if it is no such list. */
static unsigned machine_count_cpus(const char *list) {
        unsigned count = 0;

        while (*list) {
                char *end;
                unsigned long first = strtoul(list, &end, 10), last = first;

                if (end == list)
                        return 0;
                if (*end == '-')
                        last = strtoul(end + 1, &end, 10);
                if (last < first || last > 65535)
                        return 0;

                count += (unsigned) (last - first + 1);
                list = *end == ',' ? end + 1 : end;
                if (*end && *end != ',')
                        return 0;
        }

        return count;
}

/* Find the value of KEY=value or KEY="value" in the text of os-release (os-release(5)). */
static int machine_os_release_field(const char *text, const char *key, char **ret) {
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                const char *value = startswith(line, key);
                size_t n;

                if (!value || *value != '=')
                        continue;

                value += value[1] == '"' || value[1] == '\'' ? 2 : 1;
                n = strcspn(value, "\"'\r\n");
                *ret = strndup(value, n);
                return *ret ? 0 : -ENOMEM;
        }

        return 0;
}

static int machine_read_os(const Root *root, Machine *machine) {
        static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                int r = root_read(root, paths[i], MACHINE_TEXT_MAX, &text);

                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;

                r = machine_os_release_field(text.data, "ID", &machine->os_id);
                if (r < 0)
                        return r;
                return machine_os_release_field(text.data, "VERSION_ID", &machine->os_version);
        }

        return 0;
}

static int machine_read_line(const Root *root, const char *path, char **ret) {
        int r = root_read_line(root, path, ret);

        return r == -ENOMEM ? r : 0;
}

static int machine_read_running(const Root *root, Machine *machine) {
        _cleanup_free_ char *possible = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = machine_read_line(root, "/proc/sys/kernel/random/boot_id", &machine->boot_id);
        if (r < 0)
                return r;
        r = machine_read_line(root, "/sys/devices/system/cpu/possible", &possible);
        if (r < 0)
                return r;
        if (possible)
                machine->possible_cpus = machine_count_cpus(possible);

        r = root_read(root, "/proc/cmdline", MACHINE_TEXT_MAX, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        machine->cmdline_text = strdup(strip(text.data));
        if (!machine->cmdline_text)
                return -ENOMEM;
        r = cmdline_parse(machine->cmdline_text, strlen(machine->cmdline_text), &machine->cmdline);
        if (r < 0)
                return r;

        secret_redact_cmdline(machine->cmdline_text, strlen(machine->cmdline_text));
        return 0;
}

/* Only where nothing in the image tells its architecture, it is taken for that of the machine that builds it. */
static int machine_probe_image(const Root *root, const char *arch, Machine *machine) {
        _cleanup_free_ char *found = NULL, *path = NULL;
        struct utsname here;
        int r;

        r = probe_new(&machine->probe);
        if (r < 0)
                return r;
        r = kernel_find_newest(root, &machine->probe->kernel_release);
        if (r < 0)
                return r;
        r = image_arch(root, machine->probe->kernel_release, &found, &path, &machine->problem);
        if (r < 0)
                return r;

        if (arch && found && !streq(arch, found)) {
                machine->problem = xasprintf("--arch says %s, and %s is for %s", arch, path, found);
                if (!machine->problem)
                        return -ENOMEM;
        }
        if (!arch && !found && uname(&here) < 0)
                return negative_errno();

        return free_and_strdup(&machine->probe->arch, arch ? arch : found ? found : here.machine);
}

static int machine_read_probe(const Root *root, const char *arch, Machine *machine) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        if (root_is_live(root)) {
                machine->kind = MACHINE_LIVE;
                return probe_live(&machine->probe);
        }

        r = root_read(root, PROBE_PATH, 1024U * 1024U, &text);
        if (r == -ENOENT) {
                machine->kind = MACHINE_IMAGE;
                return machine_probe_image(root, arch, machine);
        }

        machine->kind = MACHINE_SNAPSHOT;
        if (r < 0)
                return -EBADMSG;
        r = json_parse(text.data, text.size, &o);
        if (r < 0)
                return r;

        return probe_from_json(o, &machine->probe);
}

int machine_read(const Root *root, const char *arch, const Interest *interest, Machine **ret) {
        _cleanup_(machine_freep) Machine *machine = calloc(1, sizeof(*machine));
        _cleanup_buffer_ Buffer config = BUFFER_NULL;
        int r;

        assert(ret);

        if (!machine)
                return -ENOMEM;

        r = machine_read_probe(root, arch, machine);
        if (r < 0)
                return r;
        r = machine_read_os(root, machine);
        if (r < 0)
                return r;
        r = kernel_read_config(root, machine->probe->kernel_release, &config);
        if (r < 0)
                return r;
        r = machine_take_config(&config, interest, machine);
        if (r < 0)
                return r;
        if (machine->kind != MACHINE_IMAGE) {
                r = machine_read_running(root, machine);
                if (r < 0)
                        return r;
                r = virt_detect(root, machine->probe, &machine->virtualization, &machine->container);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(machine);
        return 0;
}

int machine_read_log(Machine *machine, const Root *root, const Interest *interest) {
        KernelLog *log = &machine->probe->log;
        int r;

        if (machine->kind != MACHINE_LIVE)
                return 0;

        kernel_log_done(log);
        r = kernel_log_read(log, interest->log_patterns);
        if (r < 0 || !interest->kept_log)
                return r;

        return kernel_log_recall(root, interest->kept_log, log);
}

int machine_read_services(Machine *machine, const Interest *interest) {
        if (machine->kind != MACHINE_LIVE)
                return 0;

        services_done(&machine->probe->services);
        return services_read(interest->services, interest->n_services, &machine->probe->services);
}
