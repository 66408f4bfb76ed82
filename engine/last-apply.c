/* SPDX-License-Identifier: Apache-2.0 */

#include "core/replace.h"
#include "engine/last-apply.h"

#define LAST_APPLY_NAME "last-apply.json"
#define LAST_APPLY_SIZE_MAX 65536U

int last_apply_read(const Side *side, const Root *root, json_object **ret) {
        _cleanup_free_ char *path = side_run_path(side, LAST_APPLY_NAME);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        *ret = NULL;
        if (!path)
                return -ENOMEM;

        r = root_read(root, path, LAST_APPLY_SIZE_MAX, &text);
        if (r >= 0)
                r = json_parse(text.data, text.size, &o);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && json_object_is_type(o, json_type_object))
                *ret = TAKE_PTR(o);

        return 0;
}

int last_apply_write(const Side *side, const Root *root, const char *boot_id, const char *result, const char *error,
                     const Transaction *t) {
        _cleanup_free_ char *path = side_run_path(side, LAST_APPLY_NAME);
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        char now[32];
        int r;

        timestamp_utc(now);
        if (!path || !o || json_set_text(o, "boot_id", boot_id) < 0 || json_set_text(o, "time", now) < 0 ||
            json_set_text(o, "result", result) < 0 || json_set_text(o, "error", error) < 0 ||
            (t && transaction_left_out_to_json(t, o) < 0))
                return -ENOMEM;

        r = json_format_pretty(o, &text);
        return r < 0 ? r : replace_file(root, path, &text, 0644);
}
