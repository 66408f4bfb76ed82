/* SPDX-License-Identifier: Apache-2.0 */

#include <fnmatch.h>

#include "core/buffer.h"
#include "core/policy.h"

Policy *policy_free(Policy *policy) {
        if (!policy)
                return NULL;

        strv_free(policy->files);
        for (size_t i = 0; i < policy->n_settings; i++) {
                free(policy->settings[i].pattern);
                free(policy->settings[i].value);
                free(policy->settings[i].file);
                policy_clear_list(policy->settings + i);
        }
        for (size_t i = 0; i < policy->n_errors; i++) {
                free(policy->errors[i].file);
                free(policy->errors[i].reason);
        }
        free(policy->settings);
        free(policy->shared);
        free(policy->errors);
        free(policy->credential_note);
        free(policy);
        return NULL;
}

void policy_clear_list(PolicySetting *setting) {
        for (size_t i = 0; i < setting->n_parts; i++) {
                free(setting->parts[i].text);
                free(setting->parts[i].file);
        }
        free(setting->parts);
        setting->parts = NULL;
        setting->n_parts = 0;
}

bool policy_exists(const Policy *policy) {
        return policy->n_settings > 0;
}

const PolicySetting *policy_get(const Policy *policy, const char *section, const char *name) {
        return policy_get_for(policy, section, name, NULL);
}

const PolicySetting *policy_get_for(const Policy *policy, const char *section, const char *name, const char *subject) {
        const PolicySetting *found = NULL;
        bool exact = false;

        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;
                bool same = streq_ptr(s->pattern, subject);

                if (!streq(s->key->section, section) || !streq(s->key->name, name) || (exact && !same))
                        continue;
                if (!same && (!s->pattern || !subject || fnmatch(s->pattern, subject, 0) != 0))
                        continue;

                found = s;
                exact = same;
        }

        return found;
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

static int policy_describe_key(Buffer *b, const PolicyKey *key, const char *value) {
        return buffer_printf(b, "%s%s=%s", b->size > 0 ? " " : "", key->name, value);
}

char *policy_describe(const Policy *policy, const PolicyKeys *keys, const char *subject) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        /* Without any setting the line is "" and not NULL. */
        if (buffer_puts(&b, "") < 0)
                return NULL;

        for (size_t i = 0; i < policy->n_shared; i++) {
                const PolicyKey *key = policy->shared[i];

                if (policy_describe_key(&b, key, policy_word(policy, key->section, key->name, key->shared)) < 0)
                        return NULL;
        }

        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;

                if (s->key < keys->keys || s->key >= keys->keys + keys->n_keys ||
                    policy_get_for(policy, s->key->section, s->key->name, subject) != s)
                        continue;
                if (policy_describe_key(&b, s->key, s->value) < 0)
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
