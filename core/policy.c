/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/cmdline.h"
#include "core/policy.h"

static const char *const vcpu_choices[] = {"auto", "dedicated", "shared", NULL};

static const PolicyKey core_keys[] = {
        {"guest", "vcpu", KEY_CHOICE, vcpu_choices, "whether vCPUs own physical cores: auto, dedicated or shared"},
        {"guest", "allow_bare_metal", KEY_BOOL, NULL, "apply outside a virtual machine too"},
        {"guest", "accept_credential", KEY_BOOL, NULL, "take what the host offers by the credential gtuned.policy"},
        {"channel", "allow_apply", KEY_BOOL, NULL, "let the host start an apply"},
};

const PolicyKeys policy_core_keys = {core_keys, ELEMENTSOF(core_keys)};

Policy *policy_free(Policy *policy) {
        if (!policy)
                return NULL;

        strv_free(policy->files);
        for (size_t i = 0; i < policy->n_settings; i++) {
                free(policy->settings[i].value);
                free(policy->settings[i].file);
        }
        for (size_t i = 0; i < policy->n_errors; i++) {
                free(policy->errors[i].file);
                free(policy->errors[i].reason);
        }
        free(policy->settings);
        free(policy->errors);
        free(policy->credential_note);
        free(policy);
        return NULL;
}

bool policy_exists(const Policy *policy) {
        return policy->n_settings > 0;
}

const PolicySetting *policy_get(const Policy *policy, const char *section, const char *name) {
        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;

                if (streq(s->key->section, section) && streq(s->key->name, name))
                        return s;
        }

        return NULL;
}

const char *policy_word(const Policy *policy, const char *section, const char *name, const char *otherwise) {
        const PolicySetting *s = policy_get(policy, section, name);

        return s ? s->value : otherwise;
}

bool policy_bool(const Policy *policy, const char *section, const char *name, bool otherwise) {
        const PolicySetting *s = policy_get(policy, section, name);
        bool value;

        return s && parse_bool(s->value, &value) >= 0 ? value : otherwise;
}

int policy_error(Policy *policy, const char *file, unsigned line, const char *format, ...) {
        _cleanup_free_ char *copy = strdup(file), *reason = NULL;
        va_list ap;

        va_start(ap, format);
        reason = xvasprintf(format, ap);
        va_end(ap);
        if (!copy || !reason || grow(&policy->errors, policy->n_errors, sizeof(PolicyError)) < 0)
                return -ENOMEM;

        policy->errors[policy->n_errors++] = (PolicyError) {
                .file = TAKE_PTR(copy),
                .line = line,
                .reason = TAKE_PTR(reason),
        };
        return 0;
}

char *policy_describe(const Policy *policy, const char *section) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        /* vcpu decides for every section whose "enable" is auto. */
        if (buffer_printf(&b, "vcpu=%s", policy_word(policy, "guest", "vcpu", "auto")) < 0)
                return NULL;

        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;

                if (streq(s->key->section, section) && buffer_printf(&b, " %s=%s", s->key->name, s->value) < 0)
                        return NULL;
        }

        return TAKE_PTR(b.data);
}

int parse_bool(const char *s, bool *ret) {
        static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (strcasecmp(s, yes[i]) == 0) {
                        *ret = true;
                        return 0;
                }
                if (strcasecmp(s, no[i]) == 0) {
                        *ret = false;
                        return 0;
                }
        }

        return -EINVAL;
}
