/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>

#include "host/message.h"

/* 48 bits: programs that keep every number in a double change larger ones. */
static int message_random_id(int64_t *ret) {
        uint64_t id;

        if (getrandom(&id, sizeof(id), 0) != (ssize_t) sizeof(id))
                return negative_errno();

        *ret = (int64_t) (id >> 16);
        return 0;
}

int message_sync(Buffer *b, int64_t *ret_id) {
        int r;

        r = message_random_id(ret_id);
        if (r < 0)
                return r;

        return buffer_printf(b, "\xFF{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": %lld}}\n",
                             (long long) *ret_id);
}

int message_request(const char *execute, json_object *arguments, Buffer *b, int64_t *ret_id) {
        _cleanup_json_ json_object *request = json_object_new_object();
        int r;

        r = message_random_id(ret_id);
        if (r < 0)
                return r;

        if (!request ||
            json_set_text(request, "execute", execute) < 0 ||
            (arguments && json_set(request, "arguments", json_object_get(arguments)) < 0) ||
            json_set(request, "id", json_object_new_int64(*ret_id)) < 0)
                return -ENOMEM;

        return json_format_line(request, b);
}
