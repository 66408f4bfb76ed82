/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as a kernel command line. Tokens lie in the text in order, and each read alone is the
 * same token again; the value parsers take whatever stands behind "=".
 */

#include "core/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static void check_token(const char *text, const Token *t) {
        _cleanup_(cmdline_done) Cmdline alone = CMDLINE_NULL;
        uint32_t number;
        bool b;

        check(cmdline_parse(text + t->offset, t->size, &alone) >= 0);
        check(alone.n_tokens == 1);
        check(streq(alone.tokens[0].name, t->name) && streq_ptr(alone.tokens[0].value, t->value));
        check(alone.tokens[0].open == t->open);

        (void) parse_kernel_bool(t->value, &b);
        if (t->value)
                (void) parse_kernel_uint(t->value, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cmdline_done) Cmdline c = CMDLINE_NULL;
        const char *text = (const char *) data;
        size_t end = 0;
        bool for_init = false;

        check(cmdline_parse(text, size, &c) >= 0);

        for (size_t i = 0; i < c.n_tokens; i++) {
                const Token *t = c.tokens + i, *found;

                check(t->offset >= end && t->size > 0 && t->offset + t->size <= size);
                check(t->for_init || !for_init);
                check(!t->open || i == c.n_tokens - 1);
                check_token(text, t);

                found = cmdline_find(&c, t->name);
                check(t->for_init || (found && found >= t && parameter_name_equal(found->name, t->name)));

                end = t->offset + t->size;
                for_init = t->for_init;
        }

        return 0;
}
