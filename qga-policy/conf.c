/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/conf.h"

#define QGA_CONF_MAX (1024U * 1024U)

void qga_conf_done(QgaConf *conf) {
        free(conf->path);
        free(conf->state);
        free(conf->problem);
        names_done(&conf->block.names);
        names_done(&conf->allow.names);
        names_done(&conf->ignored.names);
        *conf = (QgaConf) {};
}

static int qga_conf_note_problem(QgaConf *conf, unsigned line, const char *what) {
        if (conf->problem)
                return 0;

        conf->problem = line > 0 ? xasprintf("%s:%u %s", conf->path, line, what)
                                 : xasprintf("%s %s", conf->path, what);
        return conf->problem ? 0 : -ENOMEM;
}

/* Replace escapes in place. An escape that GLib does not know is an error there; here it stays as it is. */
static void qga_conf_unescape(char *s) {
        static const char names[] = "sntr\\", values[] = " \n\t\r\\";
        char *to = s;

        for (; *s; s++) {
                const char *at = *s == '\\' && s[1] ? strchr(names, s[1]) : NULL;

                *to++ = at ? values[at - names] : *s;
                s += at != NULL;
        }
        *to = 0;
}

/* A later line replaces an earlier line of the same key. */
static int qga_conf_set_list(QgaConfList *list, const char *key, unsigned line, const char *value) {
        names_done(&list->names);
        list->key = key;
        list->line = line;
        return names_add_split(&list->names, value);
}

static int qga_conf_take_pair(QgaConf *conf, const QgaBinary *binary, unsigned line, const char *key,
                              const char *value) {
        if (streq(key, "statedir"))
                return free_and_strdup(&conf->state, value);
        if (streq(key, "allow-rpcs"))
                return qga_conf_set_list(binary->allow_rpcs ? &conf->allow : &conf->ignored, "allow-rpcs", line, value);
        if (streq(key, "blacklist"))
                return qga_conf_set_list(binary->blacklist ? &conf->block : &conf->ignored, "blacklist", line, value);
        if (!streq(key, "block-rpcs"))
                return 0;

        /* If this qemu-ga knows both keys and the file has both, only the old key counts. */
        if (!binary->block_rpcs || streq_ptr(conf->block.key, "blacklist"))
                return qga_conf_set_list(&conf->ignored, "block-rpcs", line, value);

        return qga_conf_set_list(&conf->block, "block-rpcs", line, value);
}

/* "blacklist" may come after "block-rpcs", which then does not count. */
static void qga_conf_prefer_blacklist(QgaConf *conf) {
        if (!streq_ptr(conf->block.key, "block-rpcs"))
                return;

        names_done(&conf->ignored.names);
        conf->ignored = conf->block;
        conf->block = (QgaConfList) {};
}

static char *qga_conf_skip_blanks(char *s) {
        return s + strspn(s, " \t\r\f\v");
}

/* Take "[general]", after which only blanks may follow. Return: the name, or NULL if the line is no group. */
static const char *qga_conf_take_group(char *text) {
        char *end = strchr(text, ']');

        if (!end || end == text + 1 || end[1 + strspn(end + 1, " \t")])
                return NULL;

        *end = 0;
        return text + 1;
}

static int qga_conf_take_line(QgaConf *conf, const QgaBinary *binary, unsigned line, char *text, bool *in_general,
                     bool *in_group) {
        char *equals, *end, *value;
        const char *group;

        text = qga_conf_skip_blanks(text);
        if (!*text || *text == '#')
                return 0;
        if (*text == '[') {
                group = qga_conf_take_group(text);
                if (!group)
                        return qga_conf_note_problem(conf, line, "is no [group], and qemu-ga does not start with it");
                *in_group = true;
                *in_general = streq(group, "general");
                return 0;
        }

        equals = strchr(text, '=');
        if (!equals || equals == text || !*in_group)
                return qga_conf_note_problem(conf, line,
                                             "is no [group] and no key=value, and qemu-ga does not start with it");
        if (!*in_general)
                return 0;

        for (end = equals; end > text && strchr(" \t", end[-1]);)
                end--;
        *end = 0;

        /* White space at the end of a value belongs to it. */
        value = qga_conf_skip_blanks(equals + 1);
        qga_conf_unescape(value);
        if (streq(text, "blacklist") && binary->blacklist)
                qga_conf_prefer_blacklist(conf);
        return qga_conf_take_pair(conf, binary, line, text, value);
}

int qga_conf_parse(const char *text, const QgaBinary *binary, QgaConf *ret) {
        _cleanup_free_ char *copy = strdup(text);
        bool in_general = false, in_group = false;
        unsigned line = 0;
        int r;

        if (!copy)
                return -ENOMEM;

        for (char *p = copy; p;) {
                char *next = strchr(p, '\n');
                size_t n;

                if (next)
                        *next++ = 0;
                n = strlen(p);
                if (n > 0 && p[n - 1] == '\r')
                        p[n - 1] = 0;

                r = qga_conf_take_line(ret, binary, ++line, p, &in_general, &in_group);
                if (r < 0)
                        return r;
                p = next;
        }

        if (ret->block.names.n == 0 || ret->allow.names.n == 0 || !qga_binary_is_exclusive(binary))
                return 0;

        return qga_conf_note_problem(ret, 0, "has a block list and an allow list, and this qemu-ga takes only one");
}

int qga_conf_read(const Root *root, const char *path, const QgaBinary *binary, QgaConf *ret) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_qga_conf_ QgaConf conf = {};
        int r;

        assert(ret);

        *ret = (QgaConf) {};
        conf.path = strdup(path);
        if (!conf.path)
                return -ENOMEM;

        r = root_read(root, path, QGA_CONF_MAX, &text);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && text.size > 0)
                r = qga_conf_parse(text.data, binary, &conf);
        else if (r < 0 && r != -ENOENT)
                r = qga_conf_note_problem(&conf, 0, r == -EFBIG ? "is larger than 1 MiB" : error_text(-r));
        if (r == -ENOMEM)
                return r;

        *ret = conf;
        conf = (QgaConf) {};
        return 0;
}
