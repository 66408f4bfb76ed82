/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>

#include "host/directory.h"
#include "host/known-keys.h"
#include "host/shape.h"

#define RECORD_MAX 4096U
#define FILE_NAME_SIZE (KNOWN_KEY_NAME_MAX + sizeof(".json"))

bool known_key_name_valid(const char *name) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        size_t n = strspn(name, allowed);

        return n >= 1 && n <= KNOWN_KEY_NAME_MAX && !name[n] && name[0] != '.';
}

char *known_keys_directory(void) {
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

        if (state && state[0] == '/')
                return xasprintf("%s/gtune-host/keys", state);
        if (home && home[0] == '/')
                return xasprintf("%s/.local/state/gtune-host/keys", home);

        return NULL;
}

static void file_name(const char *name, char ret[static FILE_NAME_SIZE]) {
        assert(known_key_name_valid(name));

        (void) snprintf(ret, FILE_NAME_SIZE, "%s.json", name);
}

static bool is_schema(json_object *o) {
        return json_object_get_int64(o) == 1;
}

static bool is_count(json_object *o) {
        return !o || (json_object_get_int64(o) >= 0 && json_object_get_int64(o) <= UINT32_MAX);
}

static bool is_clock(json_object *o) {
        return json_object_get_int64(o) >= 0;
}

static bool is_key(json_object *o) {
        uint8_t name[KEY_NAME_SIZE];

        return hex_decode(json_object_get_string(o), sizeof(name), name) >= 0;
}

static bool is_time(json_object *o) {
        const char *s = json_object_get_string(o);

        return *s && !s[strspn(s, "0123456789-:TZ")];
}

static const Field record_fields[] = {
        {"schema",        TYPE(int),              .required = true, .allowed = is_schema},
        {"key",           TEXT,                   .required = true, .allowed = is_key},
        {"reset_count",   TYPE(int) | TYPE(null), .required = true, .allowed = is_count},
        {"restart_count", TYPE(int) | TYPE(null), .required = true, .allowed = is_count},
        {"clock",         TYPE(int),              .allowed = is_clock},
        {"first_seen",    TEXT, .max = 31,        .required = true, .allowed = is_time},
        {"last_seen",     TEXT, .max = 31,        .required = true, .allowed = is_time},
        {}
};

/* A counter, or false where it is null. */
static bool get_count(json_object *o, const char *key, uint32_t *ret) {
        json_object *value = json_object_object_get(o, key);

        *ret = value ? (uint32_t) json_object_get_int64(value) : 0;
        return value;
}

static int record_parse(const Buffer *b, KnownKey *ret) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_free_ char *where = NULL;
        json_object *clock = NULL;
        KnownKey key = {};
        int r;

        r = json_parse(strempty(b->data), b->size, &o);
        if (r < 0)
                return r;

        r = shape_check(o, record_fields, &where);
        if (r != 0)
                return r < 0 ? r : -EBADMSG;

        (void) hex_decode(json_get_text(o, "key"), sizeof(key.name), key.name);
        key.counted = get_count(o, "reset_count", &key.reset_count);
        key.counted &= get_count(o, "restart_count", &key.restart_count);
        key.clocked = key.counted && json_object_object_get_ex(o, "clock", &clock);
        key.clock = key.clocked ? json_object_get_uint64(clock) : 0;
        (void) stpncpy(key.first_seen, json_get_text(o, "first_seen"), sizeof(key.first_seen) - 1);
        (void) stpncpy(key.last_seen, json_get_text(o, "last_seen"), sizeof(key.last_seen) - 1);

        *ret = key;
        return 0;
}

int known_key_load(int directory_fd, const char *name, KnownKey *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char file[FILE_NAME_SIZE];
        int r;

        assert(ret);

        file_name(name, file);
        r = directory_read(directory_fd, file, RECORD_MAX, &b);
        return r < 0 ? r : record_parse(&b, ret);
}

static json_object *count_to_json(const KnownKey *key, uint32_t count) {
        return key->counted ? json_object_new_int64(count) : NULL;
}

static int record_format(const KnownKey *key, Buffer *b) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char name[2 * KEY_NAME_SIZE + 1];

        hex_encode(key->name, sizeof(key->name), name);
        if (!o ||
            json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "key", name) < 0 ||
            json_set(o, "reset_count", count_to_json(key, key->reset_count)) < 0 ||
            json_set(o, "restart_count", count_to_json(key, key->restart_count)) < 0 ||
            (key->clocked && json_set(o, "clock", json_object_new_uint64(key->clock)) < 0) ||
            json_set_text(o, "first_seen", key->first_seen) < 0 ||
            json_set_text(o, "last_seen", key->last_seen) < 0)
                return -ENOMEM;

        return json_format_pretty(o, b);
}

int known_key_store(int directory_fd, const char *name, const KnownKey *key) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char file[FILE_NAME_SIZE];
        int r;

        assert(key);

        file_name(name, file);
        r = record_format(key, &b);
        return r < 0 ? r : directory_write(directory_fd, file, b.data, b.size);
}

/* "NAME.json", or false for what is no such file name. */
static bool parse_file_name(const char *file, char ret[static KNOWN_KEY_NAME_MAX + 1]) {
        size_t size = strlen(file), suffix = strlen(".json");

        if (size <= suffix || size - suffix > KNOWN_KEY_NAME_MAX || !streq(file + size - suffix, ".json"))
                return false;

        memcpy(ret, file, size - suffix);
        ret[size - suffix] = 0;
        return known_key_name_valid(ret);
}

/* What known_key_load() says of a file that is no record of ours, or of one that was just removed. */
static bool is_no_record(int error) {
        return error == -EBADMSG || error == -EFBIG || error == -ELOOP || error == -EOPNOTSUPP || error == -EPERM ||
               error == -ENOENT;
}

static int has_key(int directory_fd, const char *name, const uint8_t *key) {
        KnownKey known;
        int r;

        r = known_key_load(directory_fd, name, &known);
        if (r < 0)
                return is_no_record(r) ? 0 : r;

        return memcmp(known.name, key, sizeof(known.name)) == 0;
}

static int find_in(DIR *directory, const char *name, const uint8_t *key, char ret[static KNOWN_KEY_NAME_MAX + 1]) {
        unsigned n = 0;
        int r = 0;

        while (r == 0) {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(directory);
                if (!entry)
                        return -errno;
                if (!parse_file_name(entry->d_name, ret) || streq(ret, name))
                        continue;

                r = n++ < KNOWN_KEYS_MAX ? has_key(dirfd(directory), ret, key) : -E2BIG;
        }

        return r;
}

int known_keys_find(int directory_fd, const char *name, const uint8_t *key, char ret[static KNOWN_KEY_NAME_MAX + 1]) {
        _cleanup_close_ int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory;
        int r;

        assert(name);
        assert(key);

        directory = fd < 0 ? NULL : fdopendir(fd);
        if (!directory)
                return negative_errno();

        (void) TAKE_FD(fd);
        r = find_in(directory, name, key, ret);
        (void) closedir(directory);
        if (r <= 0)
                ret[0] = 0;

        return r;
}

KnownKeyMatch known_key_compare(const KnownKey *known, const KnownKey *now) {
        if (memcmp(known->name, now->name, sizeof(known->name)) != 0)
                return KNOWN_KEY_OTHER;
        /* A key does not move to another hierarchy. */
        if (known->counted && !now->counted)
                return KNOWN_KEY_OTHER;
        if (!known->counted)
                return KNOWN_KEY_SAME;
        if (now->reset_count != known->reset_count)
                return now->reset_count < known->reset_count ? KNOWN_KEY_BACK : KNOWN_KEY_SAME;

        if (now->restart_count != known->restart_count)
                return now->restart_count < known->restart_count ? KNOWN_KEY_BACK : KNOWN_KEY_SAME;

        return known->clocked && now->clocked && now->clock < known->clock ? KNOWN_KEY_CLOCK_BACK : KNOWN_KEY_SAME;
}
