/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>

#include "qga-policy/drop-in.h"

#define DROP_IN_TITLE "# Made by gtuned: which RPCs the host may call (see gtuned.conf, [qga-policy]). Edits are lost.\n"
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

/* How ----------------------------------------------------------------------------------------------------- */

/* Nothing but the plain name of an RPC that this qemu-ga has ever gets into a unit file. */
static int drop_in_add_plain(Names *names, const char *name) {
        return name_is_plain(name) ? names_add(names, name) : 0;
}

/* Those that are open now and stay open. */
static int drop_in_list_open(const AgentCommand *base, const QgaBinary *binary, const Wish *wish, Names *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < binary->names.n; i++) {
                const char *name = binary->names.list[i];

                if (!restrictions_close(&base->restrictions, name) && !names_has(&wish->closed, name))
                        r = drop_in_add_plain(ret, name);
        }

        return r;
}

static int drop_in_list_to_close(const AgentCommand *base, const Wish *wish, Names *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < wish->closed.n; i++)
                if (!restrictions_close(&base->restrictions, wish->closed.list[i]))
                        r = drop_in_add_plain(ret, wish->closed.list[i]);

        return r;
}

/* Without the allow list of the words, -b has to close what that one closed too. */
static int drop_in_close_all_but(const QgaBinary *binary, const Names *open, Names *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < binary->names.n; i++)
                if (!names_has(open, binary->names.list[i]))
                        r = drop_in_add_plain(ret, binary->names.list[i]);

        return r;
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
        r = drop_in_list_to_close(base, wish, &ret->block);
        if (r >= 0)
                r = drop_in_list_open(base, binary, wish, &open);
        if (r < 0 || ret->block.n == 0)
                return r;

        if (words && qga_binary_is_exclusive(binary)) {
                if (conf)
                        return -EOPNOTSUPP;
                ret->replace_allow = true;
                names_done(&ret->block);
                return open.n > 0 ? names_add_all(&ret->allow, &open) : drop_in_close_all_but(binary, &open, &ret->block);
        }
        if (!wish->allows || !binary->allow_rpcs || words || conf || open.n == 0 ||
            (qga_binary_is_exclusive(binary) && drop_in_has_block_words(base)))
                return 0;

        names_done(&ret->block);
        return names_add_all(&ret->allow, &open);
}

/* Writing ----------------------------------------------------------------------------------------------- */

/* What becomes of one argument on its way into the drop-in. */
typedef enum DropInFate {
        DROP_IN_KEPT,
        DROP_IN_RENAMED, /* --blacklist becomes --block-rpcs */
        DROP_IN_DROPPED,
} DropInFate;

static DropInFate drop_in_fate_of(const AgentCommand *base, const DropInForm *form, size_t i) {
        const ArgumentView *view = base->view.views + i;
        ArgumentRole role = view->role == ROLE_NAME && i + 1 < base->view.n ? view[1].role : view->role;

        if (role == ROLE_ALLOW && form->replace_allow)
                return DROP_IN_DROPPED;
        if (view->removed && base->arguments.list[i].text[0] == '-' &&
            (view->role == ROLE_NAME || view->value != base->arguments.list[i].text))
                return DROP_IN_RENAMED;
        if (role != ROLE_IGNORED)
                return DROP_IN_KEPT;

        /* A name behind a blank: it does nothing, and whoever reads it would think that it does. */
        return rpc_find_n(base->arguments.list[i].text, strcspn(base->arguments.list[i].text, ",")) ? DROP_IN_DROPPED : DROP_IN_KEPT;
}

/* The option at the beginning of a word, of which the quotes and the value stay as they are. */
static int drop_in_write_renamed(const ExecArgument *a, const char *raw, Buffer *b) {
        static const char option[] = "--block-rpcs";
        size_t quote = *raw == '"' || *raw == '\'', n = strcspn(a->text, "=");
        _cleanup_free_ char *text = NULL;
        int r;

        if (!a->split && strncmp(raw + quote, a->text, n) == 0) {
                r = buffer_append(b, raw, quote);
                if (r >= 0)
                        r = buffer_puts(b, option);
                return r < 0 ? r : buffer_puts(b, raw + quote + n);
        }

        text = xasprintf("%s%s", option, a->text + n);
        return text ? word_quote(b, text) : -ENOMEM;
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

/* A word stays as it is written, variables and all; one of whose arguments something changes is written out. */
static int drop_in_write_word(const AgentCommand *base, const DropInForm *form, size_t word, Buffer *b) {
        int r = 0;

        if (drop_in_is_untouched(base, form, word))
                return buffer_printf(b, " %s", base->command.words.list[word].raw);

        for (size_t i = 0; r >= 0 && i < base->arguments.n; i++)
                if (base->arguments.list[i].word == word)
                        r = drop_in_write_argument(base, form, i, b);

        return r;
}

static int drop_in_write_list(const char *option, const Names *names, Buffer *b) {
        _cleanup_free_ char *list = names_join(names, ",");

        if (!list)
                return -ENOMEM;

        return names->n > 0 ? buffer_printf(b, " %s%s", option, list) : 0;
}

static int drop_in_write_lists(const DropInForm *form, Buffer *b) {
        int r = drop_in_write_list("--allow-rpcs=", &form->allow, b);

        return r < 0 ? r : drop_in_write_list("-b ", &form->block, b);
}

/* What stands behind "--" is no option any more. */
static bool drop_in_ends_options(const AgentCommand *base) {
        for (size_t i = 0; i < base->arguments.n; i++)
                if (streq(base->arguments.list[i].text, "--"))
                        return true;

        return false;
}

static int drop_in_write_command(const AgentCommand *base, const DropInForm *form, Buffer *b) {
        bool in_front = drop_in_ends_options(base);
        int r;

        r = buffer_printf(b, "ExecStart=%s", base->command.words.list->raw);
        if (r >= 0 && in_front)
                r = drop_in_write_lists(form, b);
        for (size_t i = 1; r >= 0 && i < base->command.words.n; i++)
                r = drop_in_write_word(base, form, i, b);
        if (r >= 0 && !in_front)
                r = drop_in_write_lists(form, b);

        return r < 0 ? r : buffer_puts(b, "\n");
}

/* FNV-1a. It tells an edit by hand from an older policy, and is no protection against anybody. */
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
        if (r >= 0)
                r = drop_in_write_command(base, form, &body);
        if (r < 0)
                return r;

        return buffer_printf(b, DROP_IN_TITLE DROP_IN_CHECK "%016" PRIx64 "\n%s", drop_in_checksum(body.data), body.data);
}

/* Reading ----------------------------------------------------------------------------------------------- */

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
