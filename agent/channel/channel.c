/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <limits.h>

#include "agent/channel/channel.h"
#include "core/json.h"

#define TEXT_KEPT 1024U

static const char white[] = " \t\r\n";
static const char digits[] = "0123456789";

/* strchr() would find the NUL at the end of the set. */
static bool is_one_of(char ch, const char *set) {
        return ch && strchr(set, ch);
}

/* ---- framing ---- */

typedef enum Token {
        TOKEN_OPEN_OBJECT = 1 << 0,
        TOKEN_OPEN_ARRAY = 1 << 1,
        TOKEN_CLOSE_OBJECT = 1 << 2,
        TOKEN_CLOSE_ARRAY = 1 << 3,
        TOKEN_COMMA = 1 << 4,
        TOKEN_COLON = 1 << 5,
        TOKEN_STRING = 1 << 6,
        TOKEN_WORD = 1 << 7,
        TOKENS_VALUE = TOKEN_OPEN_OBJECT | TOKEN_OPEN_ARRAY | TOKEN_STRING | TOKEN_WORD,
} Token;

static const unsigned tokens_allowed[_EXPECT_MAX] = {
        [EXPECT_FIRST_KEY] = TOKEN_STRING | TOKEN_CLOSE_OBJECT,
        [EXPECT_KEY] = TOKEN_STRING,
        [EXPECT_COLON] = TOKEN_COLON,
        [EXPECT_FIRST_VALUE] = TOKENS_VALUE | TOKEN_CLOSE_ARRAY,
        [EXPECT_VALUE] = TOKENS_VALUE,
        [EXPECT_NEXT] = TOKEN_COMMA | TOKEN_CLOSE_OBJECT | TOKEN_CLOSE_ARRAY,
};

static const char *skip_digits(const char *s) {
        return s + strspn(s, digits);
}

static bool number_is_valid(const char *s) {
        if (*s == '-')
                s++;
        if (!is_one_of(*s, digits) || (*s == '0' && is_one_of(s[1], digits)))
                return false;
        s = skip_digits(s);

        if (*s == '.') {
                if (!is_one_of(*++s, digits))
                        return false;
                s = skip_digits(s);
        }

        if (*s == 'e' || *s == 'E') {
                s++;
                if (*s == '+' || *s == '-')
                        s++;
                if (!is_one_of(*s, digits))
                        return false;
                s = skip_digits(s);
        }

        return *s == 0;
}

static bool word_is_valid(const char *s) {
        return streq(s, "true") || streq(s, "false") || streq(s, "null") || number_is_valid(s);
}

static bool utf8_is_valid(const char *s, size_t size) {
        for (size_t i = 0, n; i < size; i += n) {
                uint32_t c;

                n = utf8_decode(s + i, size - i, &c);
                if (n == 0)
                        return false;
        }

        return true;
}

static bool channel_in_object(const Channel *c) {
        return c->depth > 0 && (c->objects >> (c->depth - 1) & 1);
}

static const char *channel_open(Channel *c, bool object) {
        uint64_t bit = UINT64_C(1) << c->depth;

        if (c->depth == CHANNEL_DEPTH_MAX)
                return "JSON nesting depth limit exceeded";

        c->objects = object ? c->objects | bit : c->objects & ~bit;
        c->depth++;
        c->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
        return NULL;
}

static const char *channel_close(Channel *c, bool object) {
        if (channel_in_object(c) != object)
                return "JSON parse error, unbalanced brackets";

        c->depth--;
        c->expect = EXPECT_NEXT;
        return NULL;
}

/* Takes one token into account. Returns NULL, or why it is wrong. */
static const char *channel_token(Channel *c, Token token) {
        if (!(tokens_allowed[c->expect] & token))
                return "JSON parse error, unexpected token";

        switch (token) {
        case TOKEN_OPEN_OBJECT:
        case TOKEN_OPEN_ARRAY:
                return channel_open(c, token == TOKEN_OPEN_OBJECT);
        case TOKEN_CLOSE_OBJECT:
        case TOKEN_CLOSE_ARRAY:
                return channel_close(c, token == TOKEN_CLOSE_OBJECT);
        case TOKEN_COMMA:
                c->expect = channel_in_object(c) ? EXPECT_KEY : EXPECT_VALUE;
                return NULL;
        case TOKEN_COLON:
                c->expect = EXPECT_VALUE;
                return NULL;
        default:
                c->expect = c->expect == EXPECT_KEY || c->expect == EXPECT_FIRST_KEY ? EXPECT_COLON : EXPECT_NEXT;
                return NULL;
        }
}

static const char *channel_string_end(Channel *c) {
        c->in_string = false;
        if (!utf8_is_valid(c->text.data + c->token, c->text.size - c->token))
                return "JSON parse error, invalid UTF-8 sequence in string";

        return channel_token(c, TOKEN_STRING);
}

static const char *channel_string_byte(Channel *c, char ch) {
        if ((uint8_t) ch < 0x20)
                return "JSON parse error, control character in string";

        if (c->hex > 0) {
                c->hex--;
                return is_one_of(ch, "0123456789abcdefABCDEF") ? NULL : "JSON parse error, invalid escape in string";
        }

        if (c->escaped) {
                c->escaped = false;
                c->hex = ch == 'u' ? 4 : 0;
                return is_one_of(ch, "\"\\/bfnrtu") ? NULL : "JSON parse error, invalid escape in string";
        }

        c->escaped = ch == '\\';
        return ch == '"' ? channel_string_end(c) : NULL;
}

static const char *channel_word_end(Channel *c) {
        c->in_word = false;
        if (!word_is_valid(c->text.data + c->token))
                return "JSON parse error, invalid keyword or number";

        return channel_token(c, TOKEN_WORD);
}

static const char *channel_mark(Channel *c, char ch) {
        static const char marks[] = "{[}],:";
        const char *p;

        if (is_one_of(ch, white))
                return NULL;

        p = ch ? strchr(marks, ch) : NULL;
        if (p)
                return channel_token(c, (Token) (1 << (p - marks)));

        c->token = c->text.size + (ch == '"' ? 1 : 0);
        c->in_string = ch == '"';
        c->in_word = is_one_of(ch, "-0123456789tfn");
        return c->in_string || c->in_word ? NULL : "JSON parse error, unexpected character";
}

static const char *channel_byte(Channel *c, char ch) {
        const char *error;

        if (c->text.size >= CHANNEL_REQUEST_MAX)
                return "JSON token size limit exceeded";

        if (c->in_string)
                return channel_string_byte(c, ch);

        if (c->in_word) {
                if (is_one_of(ch, "0123456789+-.eEtrufalsn"))
                        return NULL;
                error = channel_word_end(c);
                if (error)
                        return error;
        }

        return channel_mark(c, ch);
}

/* The memory of an ordinary request is kept for the next one. */
static void channel_forget(Channel *c) {
        if (c->text.allocated > TEXT_KEPT)
                buffer_done(&c->text);
        c->text.size = 0;
        *c = (Channel) {.text = c->text, .deadline = UINT64_MAX, .discarding = c->discarding, .error = c->error};
}

void channel_reset(Channel *c) {
        channel_forget(c);
        c->discarding = false;
}

void channel_done(Channel *c) {
        channel_reset(c);
        buffer_done(&c->text);
}

static int channel_keep(Channel *c, char ch) {
        Buffer *b = &c->text;

        if (b->size + 2 > b->allocated)
                return buffer_append(b, &ch, 1);

        b->data[b->size++] = ch;
        b->data[b->size] = 0;
        return 0;
}

void channel_expire(Channel *c, uint64_t now) {
        if (channel_half(c) && now >= c->deadline)
                channel_forget(c);
}

/* A newline that is itself the error ends the garbage: the next line can be a request again. */
static int channel_garbage(Channel *c, const char *error, char ch) {
        channel_forget(c);
        c->discarding = ch != '\n';
        c->error = error;
        return CHANNEL_GARBAGE;
}

static int channel_begin(Channel *c, char ch, uint64_t now) {
        if (is_one_of(ch, white))
                return CHANNEL_MORE;
        if (ch != '{' && ch != '[')
                return channel_garbage(c, "QMP input must be a JSON object", ch);

        c->deadline = now + CHANNEL_HALF_USEC;
        (void) channel_open(c, ch == '{');
        return channel_keep(c, ch);
}

static int channel_continue(Channel *c, char ch) {
        const char *error;
        int r;

        error = channel_byte(c, ch);
        if (error)
                return channel_garbage(c, error, ch);

        r = channel_keep(c, ch);
        if (r < 0 || c->depth > 0)
                return r;

        c->complete = true;
        c->deadline = UINT64_MAX;
        return CHANNEL_REQUEST;
}

static int channel_take(Channel *c, char ch, uint64_t now) {
        if ((uint8_t) ch == 0xFF) {
                channel_reset(c);
                return CHANNEL_FLUSH;
        }

        if (c->discarding) {
                c->discarding = ch != '\n';
                return CHANNEL_MORE;
        }

        return channel_half(c) ? channel_continue(c, ch) : channel_begin(c, ch, now);
}

int channel_feed(Channel *c, const char *data, size_t size, uint64_t now, size_t *ret_used) {
        int r = CHANNEL_MORE;
        size_t i = 0;

        assert(c && ret_used);

        if (c->complete)
                channel_forget(c);

        while (r == CHANNEL_MORE && i < size)
                r = channel_take(c, data[i++], now);

        *ret_used = i;
        return r;
}

/* ---- envelope ---- */

/* The functions below read text that the framing has found to be valid JSON. */

static size_t string_size(const char *s) {
        size_t n = 1;

        while (s[n] != '"')
                n += s[n] == '\\' ? 2 : 1;

        return n + 1;
}

static size_t value_size(const char *s) {
        size_t n = 0, depth = 0;

        if (!is_one_of(*s, "{[\""))
                return strcspn(s, " \t\r\n,]}");

        do {
                depth += is_one_of(s[n], "{[") ? 1 : 0;
                depth -= is_one_of(s[n], "}]") ? 1 : 0;
                n += s[n] == '"' ? string_size(s + n) : 1;
        } while (depth > 0);

        return n;
}

/* Copies what a string means, or its beginning. json-c is slow, and ordinary names need no decoding. */
static int string_copy(const char *s, size_t size, char ret[static NAME_SIZE]) {
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

        n = n < NAME_SIZE ? n : NAME_SIZE - 1;
        memcpy(ret, s, n);
        ret[n] = 0;

        /* A NUL would make it look like another name. */
        if (strlen(ret) < n)
                ret[0] = 0;
        return 0;
}

/*
 * Steps through the members of an object: *p stands on '{' or ',' before the call and on ',' or '}' after it. Returns
 * 1 for a member, 0 at the end, or -ENOMEM.
 */
static int member_next(const char **p, char ret_name[static NAME_SIZE], Span *ret_value) {
        const char *s = *p + 1;
        size_t n;
        int r;

        s += strspn(s, white);
        if (**p == '}' || *s == '}')
                return 0;

        n = string_size(s);
        r = string_copy(s, n, ret_name);
        if (r < 0)
                return r;

        s += n + strcspn(s + n, ":") + 1;
        s += strspn(s, white);
        n = value_size(s);
        *ret_value = (Span) {.data = s, .size = n};
        *p = s + n + strspn(s + n, white);
        return 1;
}

static int describe(char **ret, const char *before, const char *name, const char *after) {
        char *text;

        if (asprintf(&text, "%s '%s'%s", before, name, after) < 0)
                return -ENOMEM;

        free(*ret);
        *ret = text;
        return 0;
}

static int request_execute(Request *request, const char *name, Span value) {
        if (*value.data != '"')
                return describe(&request->error, "QMP input member", name, " must be a string");

        request->has_execute = true;
        return string_copy(value.data, value.size, request->execute);
}

/* Returns 1 where the member was given before, else 0 or -ENOMEM. */
static int request_member(Request *request, const char *name, Span value) {
        if (streq(name, "execute"))
                return request->has_execute ? 1 : request_execute(request, name, value);

        if (streq(name, "arguments")) {
                if (request->arguments.data)
                        return 1;
                request->arguments = value;
                if (*value.data != '{')
                        return describe(&request->error, "QMP input member", name, " must be an object");
                return 0;
        }

        if (streq(name, "id")) {
                if (request->id.data)
                        return 1;
                request->id = value;
                return 0;
        }

        return describe(&request->error, "QMP input member", name, " is unexpected");
}

/* Which of two ids would be the right one? */
static int request_duplicate(Request *request) {
        request->id = SPAN_NULL;
        return free_and_strdup(&request->error, "JSON parse error, duplicate key");
}

int request_parse(Span text, Request *ret) {
        const char *p = text.data;
        char name[NAME_SIZE];
        Span value;
        int r;

        assert(ret && text.size >= 2);

        *ret = (Request) {};
        if (*p != '{')
                return free_and_strdup(&ret->error, "QMP input must be a JSON object");

        while ((r = member_next(&p, name, &value)) > 0) {
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

/* What json-c would clip to the largest integer is no integer here. */
static bool integer_parse(Span value, int64_t *ret) {
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

/* Nothing in it needs an escape, so that it can be put into another text as it is. */
static bool word_parse(Span value, char ret[static WORD_SIZE]) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,-_";
        size_t size = value.size - 2;

        if (*value.data != '"' || size >= WORD_SIZE)
                return false;

        memcpy(ret, value.data + 1, size);
        ret[size] = 0;
        return strspn(ret, allowed) == size;
}

static int argument_read(const Argument *known, const char *name, Span value, ArgumentValue *values,
                         char **ret_error) {
        size_t i = 0;

        while (known[i].name && !streq(known[i].name, name))
                i++;

        if (!known[i].name || values[i].given)
                return describe(ret_error, "Parameter", name, " is unexpected");
        if (known[i].type == ARGUMENT_INTEGER && !integer_parse(value, &values[i].number))
                return describe(ret_error, "Invalid parameter type for", name, ", expected: integer");
        if (known[i].type == ARGUMENT_WORD && !word_parse(value, values[i].word))
                return describe(ret_error, "Invalid parameter type for", name,
                                ", expected: string of at most 128 letters, digits and \",-_\"");

        values[i].given = true;
        return 0;
}

int request_arguments(const Request *request, const Argument *known, ArgumentValue *values, char **ret_error) {
        const char *p = request->arguments.data ? request->arguments.data : "{}";
        char name[NAME_SIZE];
        Span value;
        int r;

        *ret_error = NULL;
        while ((r = member_next(&p, name, &value)) > 0) {
                r = argument_read(known, name, value, values, ret_error);
                if (r < 0 || *ret_error)
                        return r;
        }
        if (r < 0)
                return r;

        for (size_t i = 0; known[i].name; i++)
                if (known[i].required && !values[i].given)
                        return describe(ret_error, "Parameter", known[i].name, " is missing");

        return 0;
}

/* ---- replies ---- */

/* Strings cannot hold a control character, so that any in an id is white space between its tokens. */
static int id_append(Buffer *b, Span id) {
        size_t start = b->size;
        int r;

        r = ascii_append(b, id.data, id.size);
        if (r < 0)
                return r;

        for (size_t i = start; i < b->size; i++)
                if ((uint8_t) b->data[i] < 0x20)
                        b->data[i] = ' ';

        return 0;
}

static int reply_end(Buffer *b, Span id) {
        int r;

        if (id.data) {
                r = buffer_puts(b, ", \"id\": ");
                if (r < 0)
                        return r;
                r = id_append(b, id);
                if (r < 0)
                        return r;
        }

        return buffer_puts(b, "}\n");
}

/* An id grows most where two bytes of UTF-8 become six of ASCII. */
size_t reply_space(Span id) {
        return CHANNEL_REPLY_MAX - 64 - 3 * id.size;
}

static int reply_body(Buffer *b, Span body, Span id) {
        int r;

        r = buffer_puts(b, "{\"return\": ");
        if (r < 0)
                return r;
        r = buffer_append(b, body.data, body.size);
        if (r < 0)
                return r;

        return reply_end(b, id);
}

int reply_return(Buffer *b, Span body, Span id) {
        size_t start = b->size;
        int r;

        r = reply_body(b, body, id);
        if (r < 0 || b->size - start <= CHANNEL_REPLY_MAX)
                return r;

        b->size = start;
        return reply_error(b, "GenericError", "The reply would be longer than 256 KiB", id);
}

int reply_error(Buffer *b, const char *class, const char *desc, Span id) {
        _cleanup_json_ json_object *text = NULL;
        int r;

        text = json_text(desc);
        if (!text)
                return -ENOMEM;

        r = buffer_printf(b, "{\"error\": {\"class\": \"%s\", \"desc\": ", class);
        if (r < 0)
                return r;
        r = json_format(text, b);
        if (r < 0)
                return r;
        r = buffer_puts(b, "}");
        if (r < 0)
                return r;

        return reply_end(b, id);
}
