/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/channel/request.h"
#include "core/json.h"

static const char white[] = " \t\r\n";

/* A NUL is in no set, although strchr() finds the one that ends the string. */
static bool request_is_one_of(char ch, const char *set) {
        return ch && strchr(set, ch);
}

static size_t request_string_size(const char *s) {
        size_t n = 1;

        while (s[n] != '"')
                n += s[n] == '\\' ? 2 : 1;

        return n + 1;
}

static size_t request_value_size(const char *s) {
        size_t n = 0, depth = 0;

        if (!request_is_one_of(*s, "{[\""))
                return strcspn(s, " \t\r\n,]}");

        do {
                depth += request_is_one_of(s[n], "{[") ? 1 : 0;
                depth -= request_is_one_of(s[n], "}]") ? 1 : 0;
                n += s[n] == '"' ? request_string_size(s + n) : 1;
        } while (depth > 0);

        return n;
}

/* Copies the decoded string, cut to the size of a name. Only a string with escapes needs json-c, which is slow. */
static int request_copy_string(const char *s, size_t size, char ret[static REQUEST_NAME_SIZE]) {
        _cleanup_json_ json_object *o = NULL;
        size_t n;
        int r;

        if (memchr(s, '\\', size)) {
                r = json_parse(s, size, &o);
                if (r < 0)
                        return r;
                s = json_object_get_string(o);
                n = (size_t) json_object_get_string_len(o);
        } else {
                s++;
                n = size - 2;
        }

        n = n < REQUEST_NAME_SIZE ? n : REQUEST_NAME_SIZE - 1;
        memcpy(ret, s, n);
        ret[n] = 0;

        /* With a NUL in it a name would look like another, shorter one. */
        if (strlen(ret) < n)
                ret[0] = 0;
        return 0;
}

/*
 * Reads the next member of an object: *p points to '{' or ',' before the call and to ',' or '}' after it. Returns 1 for
 * a member, 0 at the end, or -ENOMEM.
 */
static int request_next_member(const char **p, char ret_name[static REQUEST_NAME_SIZE], Span *ret_value) {
        const char *s = *p + 1;
        size_t n;
        int r;

        s += strspn(s, white);
        if (**p == '}' || *s == '}')
                return 0;

        n = request_string_size(s);
        r = request_copy_string(s, n, ret_name);
        if (r < 0)
                return r;

        s += n + strcspn(s + n, ":") + 1;
        s += strspn(s, white);
        n = request_value_size(s);
        *ret_value = (Span) {.data = s, .size = n};
        *p = s + n + strspn(s + n, white);
        return 1;
}

static int request_describe(char **ret, const char *before, const char *name, const char *after) {
        char *text = xasprintf("%s '%s'%s", before, name, after);

        if (!text)
                return -ENOMEM;

        free(*ret);
        *ret = text;
        return 0;
}

/* Returns 1 if the member was given before, else 0 or -ENOMEM. */
static int request_member(Request *request, const char *name, Span value) {
        if (streq(name, "execute")) {
                if (request->has_execute)
                        return 1;
                if (*value.data != '"')
                        return request_describe(&request->error, "QMP input member", name, " must be a string");
                request->has_execute = true;
                return request_copy_string(value.data, value.size, request->execute);
        }

        if (streq(name, "arguments")) {
                if (request->arguments.data)
                        return 1;
                request->arguments = value;
                if (*value.data != '{')
                        return request_describe(&request->error, "QMP input member", name, " must be an object");
                return 0;
        }

        if (streq(name, "id")) {
                if (request->id.data)
                        return 1;
                request->id = value;
                return 0;
        }

        return request_describe(&request->error, "QMP input member", name, " is unexpected");
}

/* The answer carries no id: one of two ids may be the wrong one. */
static int request_duplicate(Request *request) {
        request->id = SPAN_NULL;
        return free_and_strdup(&request->error, "JSON parse error, duplicate key");
}

int request_parse(Span text, Request *ret) {
        const char *p = text.data;
        char name[REQUEST_NAME_SIZE];
        Span value;
        int r;

        assert(ret && text.size >= 2);

        *ret = (Request) {};
        if (*p != '{')
                return free_and_strdup(&ret->error, "QMP input must be a JSON object");

        while ((r = request_next_member(&p, name, &value)) > 0) {
                r = request_member(ret, name, value);
                if (r > 0)
                        return request_duplicate(ret);
                if (r < 0)
                        return r;
        }

        if (r < 0 || ret->error || ret->has_execute)
                return r;

        return free_and_strdup(&ret->error, "QMP input lacks member 'execute'");
}

void request_done(Request *request) {
        free(request->error);
        *request = (Request) {};
}

/* A number beyond 64 bits is refused; json-c would clip it. */
static bool argument_parse_integer(Span value, int64_t *ret) {
        char text[32], *end;
        long long number;

        if (value.size >= sizeof(text))
                return false;

        memcpy(text, value.data, value.size);
        text[value.size] = 0;
        if (text[strspn(text, "-0123456789")])
                return false;

        errno = 0;
        number = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end)
                return false;

        *ret = number;
        return true;
}

/* A word needs no escapes, so it can be copied into the question to gtune-tpm as it is. */
static bool argument_parse_word(Span value, char ret[static ARGUMENT_WORD_SIZE]) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,-_";
        size_t size = value.size - 2;

        if (*value.data != '"' || size >= ARGUMENT_WORD_SIZE)
                return false;

        memcpy(ret, value.data + 1, size);
        ret[size] = 0;
        return strspn(ret, allowed) == size;
}

static int argument_read(const ArgumentSpec *known, const char *name, Span value, ArgumentValue *values,
                         char **ret_error) {
        size_t i = 0;

        while (known[i].name && !streq(known[i].name, name))
                i++;

        if (!known[i].name || values[i].given)
                return request_describe(ret_error, "Parameter", name, " is unexpected");
        if (known[i].type == ARGUMENT_INTEGER && !argument_parse_integer(value, &values[i].number))
                return request_describe(ret_error, "Invalid parameter type for", name, ", expected: integer");
        if (known[i].type == ARGUMENT_WORD && !argument_parse_word(value, values[i].word))
                return request_describe(ret_error, "Invalid parameter type for", name,
                                ", expected: string of at most 128 letters, digits and \",-_\"");

        values[i].given = true;
        return 0;
}

int request_arguments(const Request *request, const ArgumentSpec *known, ArgumentValue *values, char **ret_error) {
        const char *p = request->arguments.data ? request->arguments.data : "{}";
        char name[REQUEST_NAME_SIZE];
        Span value;
        int r;

        *ret_error = NULL;
        while ((r = request_next_member(&p, name, &value)) > 0) {
                r = argument_read(known, name, value, values, ret_error);
                if (r < 0 || *ret_error)
                        return r;
        }
        if (r < 0)
                return r;

        for (size_t i = 0; known[i].name; i++)
                if (known[i].required && !values[i].given)
                        return request_describe(ret_error, "Parameter", known[i].name, " is missing");

        return 0;
}
