/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/channel/frame.h"
#include "core/json.h"

#define TEXT_KEPT 1024U

static const char white[] = " \t\r\n";
static const char digits[] = "0123456789";

/* strchr() would find the NUL at the end of the set. */
static bool is_one_of(char ch, const char *set) {
        return ch && strchr(set, ch);
}

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
