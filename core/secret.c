/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <strings.h>

#include "core/secret.h"

const Secret secrets[] = {
        {SECRET_IN_NAME, "password", NULL, "passwords of every program"},
        {SECRET_IN_NAME, "passwd", NULL, "the same, as the installers of Debian and others name them"},
        {SECRET_IN_NAME, "passphrase", NULL, "passphrases of keys"},
        {SECRET_NAME_END, "pass", NULL, "cifspass, rootpass and others"},
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
        {SECRET_LOGIN, "://", NULL, "user and password in a URL, as of inst.ks and inst.repo"},
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

/* What stays within a value, and within the rest of a line: what ends words, strings, commands and blocks. */
#define SECRET_KEEP_VALUE "\"'\\"
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
                return (size_t) (end - name) >= n && secret_text_at(end - n, end, s->text);
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
 * ends it.
 */
static char *secret_value_end(char *p, const char *end, char outer) {
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

        return p;
}

/*
 * Whether a quote makes one word of a name and its value, as "a=b c" of the kernel and Environment="A=b c" of systemd. The
 * words of NAME="a=b c" are many.
 */
static bool secret_quotes_word(const char *text, const char *quote) {
        static const char environment[] = "environment=";
        const size_t n = strlen(environment);

        return quote == text || quote[-1] != '=' ||
               ((size_t) (quote - text) >= n && secret_text_at(quote - n, quote, environment));
}

static void secret_redact_values(char *text, const char *end) {
        char quote = 0;

        for (char *p = text; p < end; p++) {
                char *name = p, *name_end = p;
                bool word;

                if (*p == '\\') {
                        p++;
                        continue;
                }
                quote = secret_next_quote(quote, *p);
                if (*p != '=')
                        continue;

                if (name_end > text && name_end[-1] == '+')
                        name_end--;
                for (name = name_end; name > text && secret_in_name_char(name[-1]);)
                        name--;
                if (!secret_has_name(name, name_end))
                        continue;

                word = quote && name > text && name[-1] == quote && secret_quotes_word(text, name - 1);
                name_end = word ? secret_quote_end(p + 1, end, quote) : secret_value_end(p + 1, end, quote);
                secret_overwrite(p + 1, name_end, SECRET_KEEP_VALUE);
                p = name_end - 1;
        }
}

static void secret_redact_logins(const char *mark, char *text, const char *end) {
        for (char *p = text; (p = secret_find(p, end, mark));) {
                char *begin = p + strlen(mark), *at = NULL;

                for (p = begin; p < end && !isspace((unsigned char) *p) && !strchr("\"'/", *p); p++)
                        if (*p == '@')
                                at = p;
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

void secret_redact(char *text, size_t size) {
        char *end = text + size;

        secret_redact_values(text, end);
        for (size_t i = 0; i < n_secrets; i++)
                if (secrets[i].kind == SECRET_LOGIN)
                        secret_redact_logins(secrets[i].text, text, end);
                else if (secrets[i].kind == SECRET_SPAN)
                        secret_redact_spans(secrets + i, text, end);
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

/* Whether a row's text at p is a word that has no value of its own. *ret_rest takes what comes after the word. */
static bool secret_is_bare(const Secret *s, const char *line, char *p, const char *end, char **ret_rest) {
        char *rest = p + strlen(s->text);

        if (!secret_text_at(p, end, s->text) || secret_is_exception(s, line, p, end))
                return false;

        while (rest < end && secret_in_name_char(*rest))
                rest++;
        *ret_rest = rest;
        return rest == end || (*rest != '=' && !secret_text_at(rest, end, "+="));
}

/*
 * Redact the rest of the line after a word that is no name with a value, or of the string that the word is in. A comment is
 * free text, and goes as a whole.
 */
static void secret_redact_rest(const Secret *s, char *line, char *end) {
        char *start = line, quote = 0, *rest;
        bool comment;

        while (start < end && isspace((unsigned char) *start))
                start++;
        comment = start < end && *start == '#';

        for (char *p = start; p < end; p++) {
                if (secret_is_bare(s, line, p, end, &rest)) {
                        p = comment || !quote ? end : secret_quote_end(rest, end, quote);
                        secret_overwrite(comment ? start + 1 : rest, p, SECRET_KEEP_LINE);
                        if (p == end)
                                return;
                }
                if (*p == '\\')
                        p++;
                else
                        quote = secret_next_quote(quote, *p);
        }
}

static void secret_redact_line(char *line, size_t size) {
        secret_redact(line, size);
        for (size_t i = 0; i < n_secrets; i++)
                if (secrets[i].kind == SECRET_LINE)
                        secret_redact_rest(secrets + i, line, line + size);
}

static bool secret_is_printable(char c) {
        return c >= 0x20 && c < 0x7F;
}

/* Redact a run of printable ASCII in UTF-16 (little endian): squeeze its characters together, and spread them again. */
static void secret_redact_wide(char *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                p[i] = p[2 * i];

        secret_redact_line(p, n);
        for (size_t i = n; i-- > 0;) {
                p[2 * i] = p[i];
                p[2 * i + 1] = 0;
        }
}

static void secret_redact_binary(char *data, size_t size) {
        for (size_t i = 0, n; i < size; i += n > 0 ? n : 1) {
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
                secret_redact_line(data + i, n);
        }
}

void secret_redact_file(char *data, size_t size) {
        char *end = data + size;

        if (size == 0)
                return;
        if (memchr(data, 0, size)) {
                secret_redact_binary(data, size);
                return;
        }

        for (char *line = data, *next; line < end; line = next) {
                next = line;
                do {
                        char *newline = memchr(next, '\n', (size_t) (end - next));

                        next = newline ? newline + 1 : end;
                } while (next < end && next - line > 1 && next[-2] == '\\');

                secret_redact_line(line, (size_t) (next - line));
        }
}
