/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that tests read, below TEST_DATA. Include it after cmocka.h.
 */

#include "core/root.h"
#include "tpm/pcrs.h"

static inline Buffer data_read(const char *format, ...) _printf_(1, 2);

static inline Buffer data_read(const char *format, ...) {
        char path[256];
        Buffer b = BUFFER_NULL;
        Root *root;
        va_list ap;

        va_start(ap, format);
        assert_true(vsnprintf(path, sizeof(path), format, ap) < (int) sizeof(path));
        va_end(ap);

        assert_int_equal(root_new(&root, TEST_DATA), 0);
        assert_int_equal(root_read(root, path, 1024 * 1024, &b), 0);
        root_free(root);
        return b;
}

static inline Pcrs data_pcrs(const char *name) {
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.pcrs.json", name);
        _cleanup_json_ json_object *o = NULL;
        Pcrs pcrs;

        assert_int_equal(json_parse(b.data, b.size, &o), 0);
        assert_int_equal(pcrs_from_json(o, &pcrs), 0);
        return pcrs;
}
