/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>

#include "qga-policy/drop-in.h"

#define DROP_IN_TITLE \
        "# Made by gtuned: which RPCs the host may call (see gtuned.conf, [qga-policy]). Edits are lost.\n"
#define DROP_IN_CHECK "# Checksum of the lines below: "
#define DROP_IN_COPIED "# The ExecStart that is repeated here, with the restrictions added, is that of "
#define DROP_IN_COPIED_TEXT "#   ExecStart="

void drop_in_form_done(DropInForm *form) {
        names_done(&form->block);
        names_done(&form->allow);
        *form = (DropInForm) {};
}

void drop_in_file_done(DropInFile *file) {
        free(file->copied);
        *file = (DropInFile) {};
}

/* Only plain names are ever written into a unit file: see name_is_plain(). */
static int drop_in_add_plain(Names *names, const char *name) {
        return name_is_plain(name) ? names_add(names, name) : 0;
}

/*
 * List the RPCs that the base leaves open.
 * @ret_close: takes those that are to be closed
 * @ret_open: takes those that stay open
 */
static int drop_in_list(const AgentCommand *base, const QgaBinary *binary, const Wish *wish, Names *ret_close,
                        Names *ret_open) {
        for (size_t i = 0; i < wish->closed.n; i++)
                if (!restrictions_close(&base->restrictions, wish->closed.list[i]) &&
                    drop_in_add_plain(ret_close, wish->closed.list[i]) < 0)
                        return -ENOMEM;

        for (size_t i = 0; i < binary->names.n; i++) {
                const char *name = binary->names.list[i];

                if (!restrictions_close(&base->restrictions, name) && !names_has(&wish->closed, name) &&
                    drop_in_add_plain(ret_open, name) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/*
 * Replace the allow lists of the command. If an allow list would be empty, a block list has to close everything, the
 * names that the replaced lists closed included.
 */
static int drop_in_replace_allow(const QgaBinary *binary, const Names *open, DropInForm *form) {
        form->replace_allow = true;
        names_done(&form->block);
        if (open->n > 0)
                return names_add_all(&form->allow, open);

        for (size_t i = 0; i < binary->names.n; i++)
                if (drop_in_add_plain(&form->block, binary->names.list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

static bool drop_in_has_block_words(const AgentCommand *base) {
        for (size_t i = 0; i < base->view.n; i++)
                if (base->view.views[i].role == ROLE_BLOCK && *base->view.views[i].value)
                        return true;

        return false;
}

int drop_in_form(const AgentCommand *base, const QgaBinary *binary, const Wish *wish, DropInForm *ret) {
        bool words = restrictions_have_allow(&base->restrictions, false);
        bool conf = restrictions_have_allow(&base->restrictions, true);
        _cleanup_names_ Names open = {};
        int r;

        assert(ret);

        *ret = (DropInForm) {};
        r = drop_in_list(base, binary, wish, &ret->block, &open);
        if (r < 0 || ret->block.n == 0)
                return r;

        if (words && qga_binary_is_exclusive(binary)) {
                if (conf)
                        return -EOPNOTSUPP;

                return drop_in_replace_allow(binary, &open, ret);
        }
        if (!wish->allows || !binary->allow_rpcs || words || conf || open.n == 0 ||
            (qga_binary_is_exclusive(binary) && drop_in_has_block_words(base)))
                return 0;

        names_done(&ret->block);
        return names_add_all(&ret->allow, &open);
}

/* How the drop-in repeats an argument. */
typedef enum DropInFate {
        DROP_IN_KEPT,
        DROP_IN_RENAMED, /* --blacklist becomes --block-rpcs */
        DROP_IN_DROPPED,
} DropInFate;

static DropInFate drop_in_fate_of(const AgentCommand *base, const DropInForm *form, size_t i) {
        const ArgumentView *view = base->view.views + i;
        const char *text;
        ArgumentRole role = view->role == ROLE_NAME && i + 1 < base->view.n ? view[1].role : view->role;

        if (role == ROLE_ALLOW && form->replace_allow)
                return DROP_IN_DROPPED;
        if (view->removed && base->arguments.list[i].text[0] == '-' &&
            (view->role == ROLE_NAME || view->value != base->arguments.list[i].text))
                return DROP_IN_RENAMED;
        if (role != ROLE_IGNORED)
                return DROP_IN_KEPT;

        /* The name of an RPC after a blank closes nothing, but a reader would think that it does. */
        text = base->arguments.list[i].text;
        return rpc_find_n(text, strcspn(text, ",")) ? DROP_IN_DROPPED : DROP_IN_KEPT;
}

/* Replace the option at the beginning of a word by --block-rpcs. Its quotes and its value stay as they are. */
static int drop_in_write_renamed(const ExecArgument *a, const char *raw, Buffer *b) {
        static const char option[] = "--block-rpcs";
        size_t quote = *raw == '"' || *raw == '\'', n = strcspn(a->text, "=");
        _cleanup_free_ char *text = NULL;
        int r;

        if (!a->split && strncmp(raw + quote, a->text, n) == 0) {
                r = buffer_append(b, raw, quote);
                if (r < 0)
                        return r;

                return buffer_printf(b, "%s%s", option, raw + quote + n);
        }

        text = xasprintf("%s%s", option, a->text + n);
        if (!text)
                return -ENOMEM;

        return word_quote(b, text);
}

static int drop_in_write_argument(const AgentCommand *base, const DropInForm *form, size_t i, Buffer *b) {
        const ExecArgument *a = base->arguments.list + i;
        const char *raw = base->command.words.list[a->word].raw;
        DropInFate fate = drop_in_fate_of(base, form, i);
        int r;

        if (fate == DROP_IN_DROPPED)
                return 0;

        r = buffer_puts(b, " ");
        if (r < 0)
                return r;
        if (fate == DROP_IN_RENAMED)
                return drop_in_write_renamed(a, raw, b);

        return a->split ? word_quote(b, a->text) : buffer_puts(b, raw);
}

static bool drop_in_is_untouched(const AgentCommand *base, const DropInForm *form, size_t word) {
        for (size_t i = 0; i < base->arguments.n; i++)
                if (base->arguments.list[i].word == word && drop_in_fate_of(base, form, i) != DROP_IN_KEPT)
                        return false;

        return true;
}

/*
 * A word is repeated as it is written, with its variables. But if one of its arguments is renamed or dropped, its
 * arguments are written instead.
 */
static int drop_in_write_word(const AgentCommand *base, const DropInForm *form, size_t word, Buffer *b) {
        int r;

        if (drop_in_is_untouched(base, form, word))
                return buffer_printf(b, " %s", base->command.words.list[word].raw);

        for (size_t i = 0; i < base->arguments.n; i++) {
                if (base->arguments.list[i].word != word)
                        continue;

                r = drop_in_write_argument(base, form, i, b);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int drop_in_write_list(const char *option, const Names *names, Buffer *b) {
        _cleanup_free_ char *list = names_join(names, ",");

        if (!list)
                return -ENOMEM;

        return names->n > 0 ? buffer_printf(b, " %s%s", option, list) : 0;
}

static int drop_in_write_lists(const DropInForm *form, Buffer *b) {
        int r;

        r = drop_in_write_list("--allow-rpcs=", &form->allow, b);
        if (r < 0)
                return r;

        return drop_in_write_list("-b ", &form->block, b);
}

static int drop_in_write_command(const AgentCommand *base, const DropInForm *form, Buffer *b) {
        bool first = false;
        int r;

        /* After "--" there are no options any more, so the lists have to come before it. */
        for (size_t i = 0; i < base->arguments.n; i++)
                first = first || streq(base->arguments.list[i].text, "--");

        r = buffer_printf(b, "ExecStart=%s", base->command.words.list->raw);
        if (r < 0)
                return r;
        if (first) {
                r = drop_in_write_lists(form, b);
                if (r < 0)
                        return r;
        }

        for (size_t i = 1; i < base->command.words.n; i++) {
                r = drop_in_write_word(base, form, i, b);
                if (r < 0)
                        return r;
        }

        if (!first) {
                r = drop_in_write_lists(form, b);
                if (r < 0)
                        return r;
        }

        return buffer_puts(b, "\n");
}

/* FNV-1a. The checksum distinguishes an edit by hand from a drop-in of an older policy; it is no protection. */
static uint64_t drop_in_checksum(const char *text) {
        uint64_t hash = 0xCBF29CE484222325U;

        for (; *text; text++)
                hash = (hash ^ (unsigned char) *text) * 0x100000001B3U;

        return hash;
}

int drop_in_write(const AgentCommand *base, const DropInForm *form, Buffer *b) {
        _cleanup_free_ char *copied = agent_command_text(&base->command);
        _cleanup_buffer_ Buffer body = BUFFER_NULL;
        int r;

        if (!copied)
                return -ENOMEM;

        r = buffer_printf(&body, DROP_IN_COPIED "%s:\n" DROP_IN_COPIED_TEXT "%s\n[Service]\nExecStart=\n",
                          base->command.setting->file, copied);
        if (r < 0)
                return r;
        r = drop_in_write_command(base, form, &body);
        if (r < 0)
                return r;

        return buffer_printf(b, DROP_IN_TITLE DROP_IN_CHECK "%016" PRIx64 "\n%s", drop_in_checksum(body.data),
                             body.data);
}

int drop_in_read(const char *text, DropInFile *ret) {
        const char *body, *copied;
        uint64_t sum;
        char end;

        assert(ret);

        *ret = (DropInFile) {.exists = true};
        body = startswith(text, DROP_IN_TITLE DROP_IN_CHECK);
        if (body && sscanf(body, "%16" SCNx64 "%c", &sum, &end) == 2 && end == '\n') {
                body = strchr(body, '\n') + 1;
                ret->intact = sum == drop_in_checksum(body);
        }

        copied = strstr(text, "\n" DROP_IN_COPIED_TEXT);
        if (!copied)
                return 0;

        copied += strlen("\n" DROP_IN_COPIED_TEXT);
        ret->copied = strndup(copied, strcspn(copied, "\n"));
        return ret->copied ? 0 : -ENOMEM;
}
