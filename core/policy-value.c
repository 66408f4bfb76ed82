/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-policy.c. */

#include "core/buffer.h"
#include "core/cmdline.h"
#include "core/policy-value.h"

static bool policy_key_has_choice(const PolicyKey *key, const char *value) {
        for (const char *const *c = key->choices; *c; c++)
                if (streq(*c, value))
                        return true;

        return false;
}

/* "auto, yes or no" */
static int policy_key_join_choices(const PolicyKey *key, char **ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        for (const char *const *c = key->choices; *c; c++) {
                r = buffer_printf(&b, "%s%s", c == key->choices ? "" : c[1] ? ", " : " or ", *c);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(b.data);
        return 0;
}

static bool policy_key_accepts(const PolicyKey *key, const char *value) {
        uint32_t number;
        bool flag;

        switch (key->type) {
        case KEY_BOOL:
                return parse_bool(value, &flag) >= 0;
        case KEY_CHOICE:
                return policy_key_has_choice(key, value);
        case KEY_KERNEL_UINT:
                return parse_kernel_uint(value, &number) >= 0;
        case KEY_KERNEL_BOOL:
                return *value && parse_kernel_bool(value, &flag) >= 0;
        case KEY_PATH:
                return value[0] == '/';
        case KEY_LIST:
        default:
                return true;
        }
}

static const char *policy_key_expects(const PolicyKey *key, const char *value) {
        uint32_t number;

        switch (key->type) {
        case KEY_BOOL:
                return "expected yes or no";
        case KEY_KERNEL_UINT:
                if (parse_kernel_uint(value, &number) == -ERANGE)
                        return "the largest number is 4294967295";
                return "expected a whole number from 0 to 4294967295 (decimal, 0x… or 0…)";
        case KEY_KERNEL_BOOL:
                return "expected Y or N";
        default:
                return "expected an absolute path";
        }
}

int policy_value_check(const PolicyKey *key, const char *value, char **ret_complaint) {
        _cleanup_free_ char *choices = NULL;
        char *complaint;
        int r;

        if (policy_key_accepts(key, value))
                return 0;

        if (key->type == KEY_CHOICE) {
                r = policy_key_join_choices(key, &choices);
                if (r < 0)
                        return r;
                complaint = xasprintf("%s = %s: expected %s", key->name, value, strempty(choices));
        } else
                complaint = xasprintf("%s = %s: %s", key->name, value, policy_key_expects(key, value));
        if (!complaint)
                return -ENOMEM;

        *ret_complaint = complaint;
        return 1;
}
