/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>

#include "host/directory.h"
#include "host/known-keys.h"
#include "host/shape.h"

#define KNOWN_KEY_RECORD_MAX 4096U
#define KNOWN_KEY_FILE_SIZE (KNOWN_KEY_NAME_MAX + sizeof(".json"))

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

static void known_key_file(const char *name, char ret[static KNOWN_KEY_FILE_SIZE]) {
        assert(known_key_name_valid(name));

        (void) snprintf(ret, KNOWN_KEY_FILE_SIZE, "%s.json", name);
}

static bool known_key_count_allowed(json_object *o) {
        return !o || (json_object_get_int64(o) >= 0 && json_object_get_int64(o) <= UINT32_MAX);
}

static bool known_key_clock_allowed(json_object *o) {
        return json_object_get_int64(o) >= 0;
}

static bool known_key_name_allowed(json_object *o) {
        uint8_t name[KEY_NAME_SIZE];

        return hex_decode(json_object_get_string(o), sizeof(name), name) >= 0;
}

static bool known_key_time_allowed(json_object *o) {
        const char *s = json_object_get_string(o);

        return *s && !s[strspn(s, "0123456789-:TZ")];
}

static const ShapeField known_key_fields[] = {
        {"schema",        SHAPE_TYPE(int),                    .required = true, .allowed = shape_schema_1},
        {"key",           SHAPE_TEXT,                         .required = true, .allowed = known_key_name_allowed},
        {"reset_count",   SHAPE_TYPE(int) | SHAPE_TYPE(null), .required = true, .allowed = known_key_count_allowed},
        {"restart_count", SHAPE_TYPE(int) | SHAPE_TYPE(null), .required = true, .allowed = known_key_count_allowed},
        {"clock",         SHAPE_TYPE(int),                    .allowed = known_key_clock_allowed},
        {"first_seen",    SHAPE_TEXT, .max = 31,              .required = true, .allowed = known_key_time_allowed},
        {"last_seen",     SHAPE_TEXT, .max = 31,              .required = true, .allowed = known_key_time_allowed},
        {}
};

/* Get a counter. Return: false if it is null. */
static bool known_key_get_count(json_object *o, const char *key, uint32_t *ret) {
        json_object *value = json_object_object_get(o, key);

        *ret = value ? (uint32_t) json_object_get_int64(value) : 0;
        return value;
}

static int known_key_parse(const Buffer *b, KnownKey *ret) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_free_ char *where = NULL;
        json_object *clock = NULL;
        KnownKey key = {};
        int r;

        r = json_parse(strempty(b->data), b->size, &o);
        if (r < 0)
                return r;

        r = shape_check(o, known_key_fields, &where);
        if (r < 0)
                return r;
        if (r != 0)
                return -EBADMSG;

        (void) hex_decode(json_get_text(o, "key"), sizeof(key.name), key.name);
        key.counted = known_key_get_count(o, "reset_count", &key.reset_count);
        key.counted &= known_key_get_count(o, "restart_count", &key.restart_count);
        key.clocked = key.counted && json_object_object_get_ex(o, "clock", &clock);
        key.clock = key.clocked ? json_object_get_uint64(clock) : 0;
        (void) stpncpy(key.first_seen, json_get_text(o, "first_seen"), sizeof(key.first_seen) - 1);
        (void) stpncpy(key.last_seen, json_get_text(o, "last_seen"), sizeof(key.last_seen) - 1);

        *ret = key;
        return 0;
}

int known_key_load(int directory_fd, const char *name, KnownKey *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char file[KNOWN_KEY_FILE_SIZE];
        int r;

        assert(ret);

        known_key_file(name, file);
        r = directory_read(directory_fd, file, KNOWN_KEY_RECORD_MAX, &b);
        if (r < 0)
                return r;

        return known_key_parse(&b, ret);
}

static json_object *known_key_count_to_json(const KnownKey *key, uint32_t count) {
        return key->counted ? json_object_new_int64(count) : NULL;
}

static int known_key_format(const KnownKey *key, Buffer *b) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char name[2 * KEY_NAME_SIZE + 1];

        hex_encode(key->name, sizeof(key->name), name);
        if (!o ||
            json_set(o, "schema", json_object_new_int(1)) < 0 ||
            json_set_text(o, "key", name) < 0 ||
            json_set(o, "reset_count", known_key_count_to_json(key, key->reset_count)) < 0 ||
            json_set(o, "restart_count", known_key_count_to_json(key, key->restart_count)) < 0 ||
            (key->clocked && json_set(o, "clock", json_object_new_uint64(key->clock)) < 0) ||
            json_set_text(o, "first_seen", key->first_seen) < 0 ||
            json_set_text(o, "last_seen", key->last_seen) < 0)
                return -ENOMEM;

        return json_format_pretty(o, b);
}

int known_key_store(int directory_fd, const char *name, const KnownKey *key) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char file[KNOWN_KEY_FILE_SIZE];
        int r;

        assert(key);

        known_key_file(name, file);
        r = known_key_format(key, &b);
        if (r < 0)
                return r;

        return directory_write(directory_fd, file, b.data, b.size);
}

/* Get NAME from a file name "NAME.json". Return: false for any other file name. */
static bool known_key_file_parse(const char *file, char ret[static KNOWN_KEY_NAME_MAX + 1]) {
        size_t size = strlen(file), suffix = strlen(".json");

        if (size <= suffix || size - suffix > KNOWN_KEY_NAME_MAX || !streq(file + size - suffix, ".json"))
                return false;

        memcpy(ret, file, size - suffix);
        ret[size - suffix] = 0;
        return known_key_name_valid(ret);
}

static int known_key_matches(int directory_fd, const char *name, const uint8_t *key) {
        KnownKey known;
        int r;

        r = known_key_load(directory_fd, name, &known);
        switch (r) {
        case 0:
                break;
        case -EBADMSG:
        case -EFBIG:
        case -ELOOP:
        case -EOPNOTSUPP:
        case -EPERM:
        case -ENOENT:
                /* The file is not a valid record, or another process has just removed it. */
                return 0;
        default:
                return r;
        }

        return memcmp(known.name, key, sizeof(known.name)) == 0;
}

static int known_keys_find_in(DIR *directory, const char *name, const uint8_t *key,
                              char ret[static KNOWN_KEY_NAME_MAX + 1]) {
        unsigned n = 0;
        int r = 0;

        while (r == 0) {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(directory);
                if (!entry)
                        return -errno;
                if (!known_key_file_parse(entry->d_name, ret) || streq(ret, name))
                        continue;

                r = n++ < KNOWN_KEYS_MAX ? known_key_matches(dirfd(directory), ret, key) : -E2BIG;
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
        r = known_keys_find_in(directory, name, key, ret);
        (void) closedir(directory);
        if (r <= 0)
                ret[0] = 0;

        return r;
}

KnownKeyMatch known_key_compare(const KnownKey *known, const KnownKey *now) {
        if (memcmp(known->name, now->name, sizeof(known->name)) != 0)
                return KNOWN_KEY_OTHER;
        /* The counters are obfuscated now, so the key is in another hierarchy, and a key cannot move to another one. */
        if (known->counted && !now->counted)
                return KNOWN_KEY_OTHER;
        if (!known->counted)
                return KNOWN_KEY_SAME;
        if (now->reset_count != known->reset_count)
                return now->reset_count < known->reset_count ? KNOWN_KEY_BACK : KNOWN_KEY_SAME;

        if (now->restart_count != known->restart_count)
                return now->restart_count < known->restart_count ? KNOWN_KEY_BACK : KNOWN_KEY_SAME;

        if (known->clocked && now->clocked && now->clock < known->clock)
                return KNOWN_KEY_CLOCK_BACK;

        return KNOWN_KEY_SAME;
}
