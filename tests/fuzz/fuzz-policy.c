/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The policy reader: whatever the bytes are, each problem becomes an error with a line of the text, and a value that was
 * accepted is one that its key may hold.
 */

#include <assert.h>

#include "core/cmdline.h"
#include "core/policy-file.h"
#include "haltpoll/haltpoll.h"
#include "pvspin/pvspin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_setting(const PolicySetting *s) {
        uint32_t number;
        bool flag;

        if (s->key->type == KEY_KERNEL_UINT)
                assert(parse_kernel_uint(s->value, &number) == 0);
        else if (s->key->type == KEY_KERNEL_BOOL)
                assert(parse_kernel_bool(s->value, &flag) == 0);
        else if (s->key->type == KEY_BOOL)
                assert(parse_bool(s->value, &flag) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const PolicyKey things[] = {
                {"thing", "size", KEY_KERNEL_UINT, NULL, ""},
                {"thing", "list", KEY_LIST, NULL, ""},
        };
        const PolicyKeys keys[] = {
                practice_haltpoll.keys,
                practice_pvspin.keys,
                {things, ELEMENTSOF(things), .by_subject = true},
        };
        _cleanup_(policy_freep) Policy *policy = NULL;
        size_t lines = 1;

        if (size > 65536 || policy_read_text((const char *) data, size, keys, ELEMENTSOF(keys), &policy) < 0)
                return 0;

        for (size_t i = 0; i < size; i++)
                lines += data[i] == '\n';
        for (size_t i = 0; i < policy->n_errors; i++)
                assert(policy->errors[i].line >= 1 && policy->errors[i].line <= lines);
        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;

                assert((s->pattern != NULL) == streq(s->key->section, "thing"));
                assert(!s->pattern || policy_get_for(policy, "thing", s->key->name, s->pattern));
        }
        for (size_t i = 0; i < policy->n_settings; i++)
                check_setting(policy->settings + i);

        return 0;
}
