/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <strings.h>

#include "core/secret.h"

const Secret secrets[] = {
        {SECRET_IN_NAME, "password", NULL, "passwords of every program"},
        {SECRET_IN_NAME, "passwd", NULL, "the same, as the installers of Debian and others name them"},
        {SECRET_IN_NAME, "passphrase", NULL, "passphrases of keys"},
        {SECRET_NAME_END, "pass", NULL, "cifspass, rootpass and others, but no bypass"},
        {SECRET_NAME, "rootpw", NULL, "root's password"},
        {SECRET_NAME, "sshpw", NULL, "a password of an installer's SSH server"},
        {SECRET_IN_NAME, "set_credential", NULL, "credentials: systemd.set_credential, systemd.set_credential_binary"},
        {SECRET_IN_NAME, "setcredential", NULL, "credentials in a unit: SetCredential, SetCredentialEncrypted"},
        {SECRET_NAME, "rd.luks.key", NULL, "keys of LUKS, or where they are"},
        {SECRET_NAME, "luks.key", NULL, "keys of LUKS, or where they are"},
        {SECRET_NAME, "cryptkey", NULL, "keys of LUKS, or where they are"},
        {SECRET_IN_NAME, "private_key", NULL, "private keys"},
        {SECRET_IN_NAME, "privatekey", NULL, "private keys"},
        {SECRET_IN_NAME, "access_key", NULL, "keys of cloud services"},
        {SECRET_IN_NAME, "api_key", NULL, "keys of cloud services"},
        {SECRET_IN_NAME, "apikey", NULL, "keys of cloud services"},
        {SECRET_NAME_PART, "secret", NULL, "secrets of every program"},
        {SECRET_NAME_PART, "token", NULL, "tokens with which a machine joins a cluster or cloud"},
        {SECRET_NAME_PART, "psk", NULL, "keys of wireless networks"},
        {SECRET_NAME_PART, "wpa", NULL, "keys of wireless networks"},
        {SECRET_NAME_PART, "wep", NULL, "keys of wireless networks"},
        {SECRET_LOGIN, "://", "/", "user and password in a URL, as of inst.ks and inst.repo"},
        {SECRET_LOGIN, "iscsi:", NULL, "user and password of an iSCSI target, as of netroot"},
        {SECRET_SPAN, "cc:", "end_cc", "cloud-init's configuration on a command line"},
        {SECRET_LINE, "password", NULL, "passwords of GRUB and of other files, and comments about them"},
        {SECRET_LINE, "passphrase", NULL, "passphrases in a file"},
        {SECRET_LINE, "menu master passwd", NULL, "the password of a menu of SYSLINUX"},
        {SECRET_LINE, "menu passwd", NULL, "the password of an entry of SYSLINUX"},
};
const size_t n_secrets = ELEMENTSOF(secrets);

/* An RPC of the guest agent is called so, and lists of RPCs are what qga-policy rests on. */
static const char *const secret_exceptions[] = {"guest-set-user-password"};

/* These names end so, and "pass" in them is no word: arm-smmu.disable_bypass=1. */
static const char secret_no_pass[] = "bypass";

/* What stays within a value, and within the rest of a line: what ends words, strings, commands and blocks. */
#define SECRET_KEEP_VALUE "\"'\\\r\n"
#define SECRET_KEEP_LINE "\"'\\{}; \t\r\n"

char *secret_format(const Secret *s) {
        switch (s->kind) {
        case SECRET_IN_NAME:
                return xasprintf("*%s*=VALUE", s->text);
        case SECRET_NAME_PART:
                return xasprintf("*.%s.*=VALUE", s->text);
        case SECRET_NAME_END:
                return xasprintf("*%s=VALUE", s->text);
        case SECRET_NAME:
                return xasprintf("%s=VALUE", s->text);
        case SECRET_LOGIN:
                return xasprintf("%sUSER:PASSWORD@", s->text);
        case SECRET_SPAN:
                return xasprintf("%s TEXT %s", s->text, s->end);
        default:
                return xasprintf("%s TEXT", s->text);
        }
}

static char secret_fold(char c) {
        return c == '-' ? '_' : (char) tolower((unsigned char) c);
}

static bool secret_text_at(const char *p, const char *end, const char *text) {
        for (; *text; p++, text++)
                if (p >= end || secret_fold(*p) != secret_fold(*text))
                        return false;

        return true;
}

/* Return: where a text first occurs, or NULL. */
static char *secret_find(char *p, const char *end, const char *text) {
        for (; p < end; p++)
                if (secret_text_at(p, end, text))
                        return p;

        return NULL;
}

static bool secret_ends_part(char c) {
        return strchr("._-/", c) != NULL; /* NUL too */
}

/* Whether a text, as it is written in a table, ends at a place. */
static bool secret_text_before(const char *begin, const char *p, const char *text) {
        const size_t n = strlen(text);

        return (size_t) (p - begin) >= n && secret_text_at(p - n, p, text);
}

static bool secret_in_name_char(char c) {
        return isalnum((unsigned char) c) || (c && strchr("._-/", c));
}

/* Whether a row finds a name. */
static bool secret_is_name(const Secret *s, char *name, const char *end) {
        size_t n = strlen(s->text);

        switch (s->kind) {
        case SECRET_IN_NAME:
                return secret_find(name, end, s->text);
        case SECRET_NAME_PART:
                for (char *p = name; (p = secret_find(p, end, s->text)); p++)
                        if ((p == name || secret_ends_part(p[-1])) && (p + n == end || secret_ends_part(p[n])))
                                return true;
                return false;
        case SECRET_NAME_END:
                return secret_text_before(name, end, s->text) && !secret_text_before(name, end, secret_no_pass);
        case SECRET_NAME:
                return (size_t) (end - name) == n && secret_text_at(name, end, s->text);
        default:
                return false;
        }
}

static bool secret_has_name(char *name, const char *end) {
        for (size_t i = 0; i < n_secrets; i++)
                if (secret_is_name(secrets + i, name, end))
                        return true;

        return false;
}

static void secret_overwrite(char *p, const char *end, const char *keep) {
        static const char fill[] = "REDACTED";
        size_t n = 0;

        for (; p < end; p++)
                if (!strchr(keep, *p))
                        *p = fill[n++ % strlen(fill)];
}

/* Note a character of a line: the quote that is open after it. */
static char secret_next_quote(char quote, char c) {
        if (c != '"' && c != '\'')
                return quote;

        return quote == c ? 0 : quote ? quote : c;
}

/* Return: where an open quote is closed, or the end. */
static char *secret_quote_end(char *p, const char *end, char quote) {
        for (; p < end && *p != quote; p++)
                if (*p == '\\' && p + 1 < end)
                        p++;

        return p;
}

/*
 * Find the end of a value. Blanks between quotes belong to it, escaped quotes too; a quote that was open before it began
 * ends it. Return: its end, or NULL if a quote in it is not closed.
 */
static char *secret_closed_value_end(char *p, const char *end, char outer) {
        char inner = 0;

        for (; p < end; p++) {
                const bool escaped = *p == '\\' && p + 1 < end;
                const char c = escaped ? *++p : *p;

                if (!escaped && outer && c == outer)
                        return p;
                if (isspace((unsigned char) c) && !inner && !escaped)
                        return p;
                inner = secret_next_quote(inner, c);
        }

        return inner ? NULL : p;
}

static char *secret_value_end(char *p, char *end, char outer) {
        char *value_end = secret_closed_value_end(p, end, outer);

        return value_end ? value_end : end;
}

/*
 * Whether a quote makes one word of a name and its value, as "a=b c" of the kernel and Environment="A=b c" of systemd. The
 * words of NAME="a=b c" are many.
 */
static bool secret_quotes_word(const char *text, const char *quote) {
        return quote == text || quote[-1] != '=' || secret_text_before(text, quote, "environment=");
}

/* Whether a value is a list or the output of a command, as a shell writes them: blanks and quotes do not end it. */
static bool secret_is_shell(const char *value, const char *end) {
        if (value < end && *value == '"')
                value++;
        else if (value < end && *value == '(')
                return true;

        return value < end && (*value == '`' || secret_text_at(value, end, "$("));
}

/* Where lines end: a value whose quote is closed on a later line ends there, before the limit. */
typedef struct SecretLine {
        char *begin, *end, *limit;
        bool shell; /* the next value may be a shell's: only the first of a line, and none of a kernel's command line */
} SecretLine;

/* Find the name before a "=" or, in JSON, a ":". Return: its end, or NULL if none is there. */
static char *secret_name_before(const SecretLine *line, char *p, char **ret_begin) {
        char *name_end = p, *name, quote = 0;

        if (*p == ':')
                while (name_end > line->begin && isblank((unsigned char) name_end[-1]))
                        name_end--;
        else if (name_end > line->begin && name_end[-1] == '+')
                name_end--;
        if (name_end > line->begin && (name_end[-1] == '"' || name_end[-1] == '\''))
                quote = *--name_end;
        if (*p == ':' && !quote)
                return NULL;

        for (name = name_end; name > line->begin && secret_in_name_char(name[-1]);)
                name--;
        if (quote && (name == line->begin || name[-1] != quote))
                return NULL;

        *ret_begin = name;
        return name_end;
}

/* Find the end of the value after a "=" that comes after a name. The line grows with a quote that is closed later. */
static char *secret_find_value_end(SecretLine *line, char *name, char *value, char quote) {
        const bool word =
                quote && name > line->begin && name[-1] == quote && secret_quotes_word(line->begin, name - 1);
        char *value_end, *newline;

        if (line->shell && !quote && secret_is_shell(value, line->end))
                return line->end;

        value_end = word ? secret_quote_end(value, line->limit, quote)
                         : secret_closed_value_end(value, line->limit, quote);
        if (value_end && value_end <= line->end)
                return value_end;
        if (!value_end || (word && value_end >= line->limit))
                return line->end;

        newline = memchr(value_end, '\n', (size_t) (line->limit - value_end));
        line->end = newline ? newline + 1 : line->limit;
        return value_end;
}

/* Find the value of a name in JSON: a string, a number, or a list or object on the rest of the line. */
static char *secret_json_value(const SecretLine *line, char *p, char **ret_end) {
        while (p < line->end && isblank((unsigned char) *p))
                p++;

        if (p < line->end && *p == '"')
                *ret_end = secret_quote_end(p + 1, line->end, '"');
        else if (p < line->end && (*p == '[' || *p == '{'))
                *ret_end = line->end;
        else
                for (*ret_end = p; *ret_end < line->end && !strchr(",} \t\r\n", **ret_end);)
                        ++*ret_end;
        return p;
}

static void secret_redact_values(SecretLine *line) {
        char quote = 0;

        for (char *p = line->begin; p < line->end; p++) {
                char *name, *name_end, *value = p + 1, *value_end;

                if (*p == '\\') {
                        p++;
                        continue;
                }
                quote = secret_next_quote(quote, *p);
                if (*p != '=' && *p != ':')
                        continue;

                name_end = secret_name_before(line, p, &name);
                if (!name_end || !secret_has_name(name, name_end)) {
                        line->shell = line->shell && *p != '=';
                        continue;
                }

                if (*p == ':')
                        value = secret_json_value(line, value, &value_end);
                else
                        value_end = secret_find_value_end(line, name, value, quote);
                line->shell = false;
                secret_overwrite(value, value_end, SECRET_KEEP_VALUE);
                if (*p == ':' && value < value_end && *value == '"')
                        value_end += value_end < line->end;
                p = value_end - 1;
        }
}

static void secret_redact_logins(const Secret *s, char *text, const char *end) {
        for (char *p = text; (p = secret_find(p, end, s->text));) {
                char *begin = p + strlen(s->text), *at = NULL;

                for (p = begin; p < end && !isspace((unsigned char) *p) && !strchr("\"'", *p); p++) {
                        if (s->end && strchr(s->end, *p))
                                break;
                        if (*p == '@')
                                at = p;
                }
                if (at)
                        secret_overwrite(begin, at, SECRET_KEEP_VALUE);
        }
}

static void secret_redact_spans(const Secret *s, char *text, const char *end) {
        for (char *p = text; (p = secret_find(p, end, s->text)); p++) {
                char *begin = p + strlen(s->text), *last;

                if (p > text && secret_in_name_char(p[-1]))
                        continue;
                last = secret_find(begin, end, s->end);
                if (!last)
                        return;
                secret_overwrite(begin, last, SECRET_KEEP_LINE);
                p = last;
        }
}

static void secret_redact_words(SecretLine *line) {
        secret_redact_values(line);
        for (size_t i = 0; i < n_secrets; i++)
                if (secrets[i].kind == SECRET_LOGIN)
                        secret_redact_logins(secrets + i, line->begin, line->end);
                else if (secrets[i].kind == SECRET_SPAN)
                        secret_redact_spans(secrets + i, line->begin, line->end);
}

void secret_redact(char *text, size_t size) {
        if (size == 0)
                return;

        secret_redact_words(&(SecretLine){.begin = text, .end = text + size, .limit = text + size, .shell = true});
}

/* Whether a row's text at p belongs to the name of an RPC. Such names end in it. */
static bool secret_is_exception(const Secret *s, const char *line, const char *p, const char *end) {
        for (size_t i = 0; i < ELEMENTSOF(secret_exceptions); i++) {
                size_t n = strlen(secret_exceptions[i]), before = n - strlen(s->text);

                if (endswith(secret_exceptions[i], s->text) && (size_t) (p - line) >= before &&
                    secret_text_at(p - before, end, secret_exceptions[i]))
                        return true;
        }

        return false;
}

/* Whether a string that is only a name ends here, and a value comes after it: 'NAME'=VALUE, or "NAME": VALUE in JSON. */
static bool secret_is_key_end(const char *p, const char *end) {
        if (++p < end && *p == '=')
                return true;
        while (p < end && isblank((unsigned char) *p))
                p++;

        return p < end && *p == ':';
}

/* Return: the end of the word of name characters that a row's text at p begins. */
static char *secret_word_end(const Secret *s, char *p, const char *end) {
        for (p += strlen(s->text); p < end && secret_in_name_char(*p);)
                p++;

        return p;
}

static bool secret_is_comment(const char *p, const char *end) {
        while (p < end && isspace((unsigned char) *p))
                p++;

        return p < end && *p == '#';
}

/*
 * Redact the rest of the line after a word that is no name with a value, or of the string that the word is in. A string
 * that is only the word is the same as the word. A comment is free text, and goes as a whole.
 */
static void secret_redact_rest(const Secret *s, char *line, char *end) {
        const bool comment = secret_is_comment(line, end);
        char quote = 0;

        for (char *p = line; p < end; p++) {
                if (secret_text_at(p, end, s->text) && secret_is_exception(s, line, p, end)) {
                        p += strlen(s->text) - 1;
                } else if (secret_text_at(p, end, s->text)) {
                        char *rest = secret_word_end(s, p, end);
                        const bool whole = quote && p > line && p[-1] == quote && rest < end && *rest == quote;

                        if ((rest < end && *rest == '=') || secret_text_at(rest, end, "+=") ||
                            (whole && secret_is_key_end(rest, end))) {
                                /* No later hit in this word is without a value, either. */
                                p = rest - 1;
                                continue;
                        }
                        p = comment || !quote || whole ? end : secret_quote_end(rest, end, quote);
                        secret_overwrite(comment ? (char *) memchr(line, '#', (size_t) (end - line)) + 1 : rest, p,
                                         SECRET_KEEP_LINE);
                        if (p == end)
                                return;
                }
                if (*p == '\\' && p + 1 < end && !isalnum((unsigned char) p[1]))
                        p++;
                else if (*p != '\\')
                        quote = secret_next_quote(quote, *p);
        }
}

/* Return: the end of the line, which is later if a value goes on. */
static char *secret_redact_line(char *begin, char *end, char *limit) {
        SecretLine line = {.begin = begin, .end = end, .limit = limit, .shell = true};

        secret_redact_words(&line);
        for (size_t i = 0; i < n_secrets; i++)
                if (secrets[i].kind == SECRET_LINE)
                        secret_redact_rest(secrets + i, line.begin, line.end);

        return line.end;
}

/*
 * Redact what comes after a bare word within its own quotes. Return: whether such a word ends a parameter, so that the
 * next one is its secret.
 */
static bool secret_redact_bare(char *line, char *parameter, char *end) {
        for (size_t i = 0; i < n_secrets; i++) {
                const Secret *s = secrets + i;
                char *p = s->kind == SECRET_LINE ? secret_find(parameter, end, s->text) : NULL, *rest;

                if (!p || secret_is_exception(s, line, p, end))
                        continue;

                rest = secret_word_end(s, p, end);
                if (rest == end || (rest + 1 == end && strchr("\"'", *rest)))
                        return true;
                secret_overwrite(rest, end, SECRET_KEEP_LINE);
        }

        return false;
}

void secret_redact_cmdline(char *text, size_t size) {
        char *end = size > 0 ? text + size : text;
        bool bare = false;

        secret_redact_words(&(SecretLine){.begin = text, .end = end, .limit = end});
        for (char *p = text, *next; p < end; p = next) {
                const char *equals;

                next = p + 1;
                if (isspace((unsigned char) *p))
                        continue;

                next = secret_value_end(p, end, 0);
                equals = memchr(p, '=', (size_t) (next - p));
                if (bare && (!equals || equals + 1 == next || equals[1] == '=')) {
                        secret_overwrite(p, next, SECRET_KEEP_VALUE);
                        bare = false;
                } else
                        bare = !equals && secret_redact_bare(text, p, next);
        }
}

static bool secret_is_printable(char c) {
        return c >= 0x20 && c < 0x7F;
}

/* Redact a run of printable ASCII in UTF-16 (little endian): squeeze its characters together, and spread them again. */
static void secret_redact_wide(char *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                p[i] = p[2 * i];

        secret_redact_line(p, p + n, p + n);
        for (size_t i = n; i-- > 0;) {
                p[2 * i] = p[i];
                p[2 * i + 1] = 0;
        }
}

static void secret_redact_binary(char *data, size_t size) {
        for (size_t i = 0, n; i<size; i += n> 0 ? n : 1) {
                n = 0;
                while (i + 2 * n + 1 < size && secret_is_printable(data[i + 2 * n]) && data[i + 2 * n + 1] == 0)
                        n++;
                if (n > 1) {
                        secret_redact_wide(data + i, n);
                        n *= 2;
                        continue;
                }

                n = 0;
                while (i + n < size && secret_is_printable(data[i + n]))
                        n++;
                secret_redact_line(data + i, data + i + n, data + i + n);
        }
}

void secret_redact_file(char *data, size_t size) {
        char *end;

        if (size == 0)
                return;

        end = data + size;
        if (memchr(data, 0, size)) {
                secret_redact_binary(data, size);
                return;
        }

        for (char *line = data, *next; line < end;) {
                char *newline = memchr(line, '\n', (size_t) (end - line));
                bool comment;

                next = newline ? newline + 1 : end;
                comment = secret_is_comment(line, next);
                while (!comment && next < end && next - line > 1 && next[-2] == '\\') {
                        newline = memchr(next, '\n', (size_t) (end - next));
                        next = newline ? newline + 1 : end;
                }

                /* A comment goes on neither after a backslash nor in a quote. */
                line = secret_redact_line(line, next, comment ? next : end);
        }
}
