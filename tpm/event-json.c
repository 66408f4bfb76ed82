/* SPDX-License-Identifier: Apache-2.0 */

/* event_to_json() of describe.h. Tests: tests/unit/tpm/test-describe.c. */

#include <assert.h>

#include "tpm/describe.h"

static int event_digests_to_json(const Event *event, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char digest[2 * DIGEST_SIZE_MAX + 1];

        if (!o)
                return -ENOMEM;

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                if (!event->digests[i])
                        continue;
                hex_encode(event->digests[i], algorithm_size(i), digest);
                if (json_set_text(o, algorithm_to_string(i), digest) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

static int event_set_number(json_object *o, const char *key, size_t value) {
        json_object *number = json_object_new_int64((int64_t) value);

        return number ? json_set(o, key, number) : -ENOMEM;
}

int event_to_json(const Event *event, size_t number, Algorithm bank, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *digests = NULL;
        _cleanup_buffer_ Buffer description = BUFFER_NULL;
        EventText text;
        int r;

        assert(event);
        assert(ret);

        r = bank < 0 ? -EOPNOTSUPP : event_text(event, bank, &text);
        if (r == -ENOMEM)
                return r;

        if (!o || buffer_puts(&description, "") < 0 || event_describe(event, &description) < 0 ||
            event_digests_to_json(event, &digests) < 0)
                return -ENOMEM;

        if (event_set_number(o, "number", number) < 0 || event_set_number(o, "pcr", event->pcr) < 0 ||
            event_set_number(o, "type", event->type) < 0 ||
            json_set_text(o, "type_name", event_type_name(event)) < 0 ||
            json_set(o, "digests", TAKE_PTR(digests)) < 0 || event_set_number(o, "size", event->size) < 0 ||
            json_set_text(o, "description", description.data) < 0 ||
            json_set_text(o, "text", r < 0 ? NULL : event_text_to_string(text)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
