/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/channel/frame.h"
#include "core/json.h"

#define FRAME_TEXT_KEPT 1024U

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

static bool frame_reader_in_object(const FrameReader *c) {
        return c->depth > 0 && (c->objects >> (c->depth - 1) & 1);
}

static const char *frame_reader_open(FrameReader *c, bool object) {
        uint64_t bit = UINT64_C(1) << c->depth;

        if (c->depth == FRAME_DEPTH_MAX)
                return "JSON nesting depth limit exceeded";

        c->objects = object ? c->objects | bit : c->objects & ~bit;
        c->depth++;
        c->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
        return NULL;
}

static const char *frame_reader_close(FrameReader *c, bool object) {
        if (frame_reader_in_object(c) != object)
                return "JSON parse error, unbalanced brackets";

        c->depth--;
        c->expect = EXPECT_NEXT;
        return NULL;
}

/* Takes one token into account. Returns NULL, or why it is wrong. */
static const char *frame_reader_token(FrameReader *c, Token token) {
        if (!(tokens_allowed[c->expect] & token))
                return "JSON parse error, unexpected token";

        switch (token) {
        case TOKEN_OPEN_OBJECT:
        case TOKEN_OPEN_ARRAY:
                return frame_reader_open(c, token == TOKEN_OPEN_OBJECT);
        case TOKEN_CLOSE_OBJECT:
        case TOKEN_CLOSE_ARRAY:
                return frame_reader_close(c, token == TOKEN_CLOSE_OBJECT);
        case TOKEN_COMMA:
                c->expect = frame_reader_in_object(c) ? EXPECT_KEY : EXPECT_VALUE;
                return NULL;
        case TOKEN_COLON:
                c->expect = EXPECT_VALUE;
                return NULL;
        default:
                c->expect = c->expect == EXPECT_KEY || c->expect == EXPECT_FIRST_KEY ? EXPECT_COLON : EXPECT_NEXT;
                return NULL;
        }
}

static const char *frame_reader_string_end(FrameReader *c) {
        c->in_string = false;
        if (!utf8_is_valid(c->text.data + c->token, c->text.size - c->token))
                return "JSON parse error, invalid UTF-8 sequence in string";

        return frame_reader_token(c, TOKEN_STRING);
}

static const char *frame_reader_string_byte(FrameReader *c, char ch) {
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
        return ch == '"' ? frame_reader_string_end(c) : NULL;
}

static const char *frame_reader_word_end(FrameReader *c) {
        c->in_word = false;
        if (!word_is_valid(c->text.data + c->token))
                return "JSON parse error, invalid keyword or number";

        return frame_reader_token(c, TOKEN_WORD);
}

static const char *frame_reader_mark(FrameReader *c, char ch) {
        static const char marks[] = "{[}],:";
        const char *p;

        if (is_one_of(ch, white))
                return NULL;

        p = ch ? strchr(marks, ch) : NULL;
        if (p)
                return frame_reader_token(c, (Token) (1 << (p - marks)));

        c->token = c->text.size + (ch == '"' ? 1 : 0);
        c->in_string = ch == '"';
        c->in_word = is_one_of(ch, "-0123456789tfn");
        return c->in_string || c->in_word ? NULL : "JSON parse error, unexpected character";
}

static const char *frame_reader_byte(FrameReader *c, char ch) {
        const char *error;

        if (c->text.size >= FRAME_SIZE_MAX)
                return "JSON token size limit exceeded";

        if (c->in_string)
                return frame_reader_string_byte(c, ch);

        if (c->in_word) {
                if (is_one_of(ch, "0123456789+-.eEtrufalsn"))
                        return NULL;
                error = frame_reader_word_end(c);
                if (error)
                        return error;
        }

        return frame_reader_mark(c, ch);
}

/* The memory of an ordinary request is kept for the next one. */
static void frame_reader_forget(FrameReader *c) {
        if (c->text.allocated > FRAME_TEXT_KEPT)
                buffer_done(&c->text);
        c->text.size = 0;
        *c = (FrameReader) {.text = c->text, .deadline = UINT64_MAX, .discarding = c->discarding, .error = c->error};
}

void frame_reader_reset(FrameReader *c) {
        frame_reader_forget(c);
        c->discarding = false;
}

void frame_reader_done(FrameReader *c) {
        frame_reader_reset(c);
        buffer_done(&c->text);
}

static int frame_reader_keep(FrameReader *c, char ch) {
        Buffer *b = &c->text;

        if (b->size + 2 > b->allocated)
                return buffer_append(b, &ch, 1);

        b->data[b->size++] = ch;
        b->data[b->size] = 0;
        return 0;
}

void frame_reader_expire(FrameReader *c, uint64_t now) {
        if (frame_reader_half(c) && now >= c->deadline)
                frame_reader_forget(c);
}

/* A newline that is itself the error ends the garbage: the next line can be a request again. */
static int frame_reader_garbage(FrameReader *c, const char *error, char ch) {
        frame_reader_forget(c);
        c->discarding = ch != '\n';
        c->error = error;
        return FRAME_GARBAGE;
}

static int frame_reader_begin(FrameReader *c, char ch, uint64_t now) {
        if (is_one_of(ch, white))
                return FRAME_MORE;
        if (ch != '{' && ch != '[')
                return frame_reader_garbage(c, "QMP input must be a JSON object", ch);

        c->deadline = now + FRAME_HALF_USEC;
        (void) frame_reader_open(c, ch == '{');
        return frame_reader_keep(c, ch);
}

static int frame_reader_continue(FrameReader *c, char ch) {
        const char *error;
        int r;

        error = frame_reader_byte(c, ch);
        if (error)
                return frame_reader_garbage(c, error, ch);

        r = frame_reader_keep(c, ch);
        if (r < 0 || c->depth > 0)
                return r;

        c->complete = true;
        c->deadline = UINT64_MAX;
        return FRAME_REQUEST;
}

static int frame_reader_take(FrameReader *c, char ch, uint64_t now) {
        if ((uint8_t) ch == 0xFF) {
                frame_reader_reset(c);
                return FRAME_FLUSH;
        }

        if (c->discarding) {
                c->discarding = ch != '\n';
                return FRAME_MORE;
        }

        return frame_reader_half(c) ? frame_reader_continue(c, ch) : frame_reader_begin(c, ch, now);
}

int frame_reader_feed(FrameReader *c, const char *data, size_t size, uint64_t now, size_t *ret_used) {
        int r = FRAME_MORE;
        size_t i = 0;

        assert(c && ret_used);

        if (c->complete)
                frame_reader_forget(c);

        while (r == FRAME_MORE && i < size)
                r = frame_reader_take(c, data[i++], now);

        *ret_used = i;
        return r;
}
