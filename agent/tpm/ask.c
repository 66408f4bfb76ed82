/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/tpm/ask.h"
#include "core/subprocess.h"
#include "core/text.h"

/* gtune-tpm gives up by itself after 20 s, and an answer is 200 KiB or a verdict with 64 events. */
#define ANSWER_MSEC 25000U
#define ANSWER_MAX (1024U * 1024U)

static const char *program_path(void) {
        const char *path = secure_getenv("GTUNE_TPM");

        return path && *path == '/' ? path : GTUNE_TPM_PATH;
}

static int sentence(char **ret, char *text) {
        *ret = text;
        return text ? TPM_NO_ANSWER : -ENOMEM;
}

/* What another program wrote, as a text for a terminal. Return: the text, or NULL: no memory. */
static char *clean(const char *text) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_puts(&b, "") < 0 || text_print(&b, text, strlen(text)) < 0)
                return NULL;

        return TAKE_PTR(b.data);
}

static int not_run(const char *path, int error, char **ret_error) {
        static const struct {
                int error;
                const char *meaning;
        } rows[] = {
                {-ENOENT, "is not there: install the package gtuned-tpm"},
                {-EACCES, "may not be run by you: run gtune as root"},
                {-ETIMEDOUT, "did not end in time: look at the kernel's log for the TPM, and ask again"},
                {-EFBIG, "gave an answer that is too long: gtuned and gtuned-tpm must be of the same version"},
                {-EPROTO, "was ended by a signal: look at the journal, and ask again"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].error == error)
                        return sentence(ret_error, xasprintf("%s %s", path, rows[i].meaning));

        return sentence(ret_error, xasprintf("%s cannot be run: %s", path, strerror(-error)));
}

/* It says on stderr what it cannot say as an answer. */
static int no_line(const char *path, Buffer *error, char **ret_error) {
        _cleanup_free_ char *text = NULL;

        if (error->size == 0)
                return sentence(ret_error, xasprintf("%s gave no answer: is it the gtune-tpm of this gtune?", path));

        text = clean(strip(error->data));
        return text ? sentence(ret_error, xasprintf("%s gave no answer: %s", path, text)) : -ENOMEM;
}

static int run_program(const Context *c, const char *baseline, const Buffer *question, Buffer *ret,
                       char **ret_error) {
        const char *path = program_path(), *words[6] = {path};
        _cleanup_buffer_ Buffer error = BUFFER_NULL;
        size_t n = 1;
        int r;

        if (!root_is_live(c->root)) {
                words[n++] = "--root";
                words[n++] = c->root_path;
        }
        if (baseline) {
                words[n++] = "--baseline";
                words[n++] = baseline;
        }

        r = subprocess_run(words, NULL, question, ANSWER_MSEC, ANSWER_MAX, ret, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return not_run(path, r, ret_error);

        return ret->size == 0 ? no_line(path, &error, ret_error) : 0;
}

static int format_question(const char *command, json_object *arguments, Buffer *ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set_text(o, "execute", command) < 0) {
                json_object_put(arguments);
                return -ENOMEM;
        }
        if (arguments && json_set(o, "arguments", arguments) < 0)
                return -ENOMEM;

        return json_format(o, ret);
}

/* What a person can do about a class of failure, where the sentence does not say it. */
static const struct {
        const char *class, *remedy;
} remedies[] = {
        {"no-tpm", "give the guest a TPM 2.0 (libvirt: <tpm model='tpm-crb'>)"},
        {"tpm12", "give the guest a TPM 2.0 in its place"},
        {"no-device", "ask on the machine itself, where udev makes the device"},
        {"permission", "run gtune as root"},
        {"tpm-error", "look at the kernel's log for the TPM"},
        {"bad-answer", "look at the kernel's log for the TPM"},
        {"no-answer", "look at the kernel's log for the TPM, and on the host for its emulator"},
        {"no-library", "the package tpm2-tss has libtss2, and everything but a quote works without it"},
        {"bad-request", "gtuned and gtuned-tpm must be of the same version"},
};

static int refused(const char *class, const char *desc, char **ret_error) {
        _cleanup_free_ char *text = clean(desc);

        if (!text)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(remedies); i++)
                if (streq(remedies[i].class, class))
                        return sentence(ret_error, xasprintf("%s; %s", text, remedies[i].remedy));

        return sentence(ret_error, TAKE_PTR(text));
}

static int not_understood(char **ret_error) {
        return sentence(ret_error, xasprintf("%s gave an answer that cannot be understood: gtuned and gtuned-tpm must "
                                             "be of the same version", program_path()));
}

static int take_answer(const Buffer *line, json_object **ret, char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        json_object *part = NULL;
        const char *class, *desc;
        int r;

        r = json_parse(line->data, line->size, &o);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_object_is_type(o, json_type_object) || json_object_object_length(o) != 1)
                return not_understood(ret_error);

        if (json_object_object_get_ex(o, "return", &part) && json_object_is_type(part, json_type_object)) {
                *ret = json_object_get(part);
                return 0;
        }
        if (!json_object_object_get_ex(o, "error", &part) || !json_object_is_type(part, json_type_object))
                return not_understood(ret_error);

        class = json_get_text(part, "class");
        desc = json_get_text(part, "desc");
        return class && desc ? refused(class, desc, ret_error) : not_understood(ret_error);
}

static int ask(const Context *c, const char *command, json_object *arguments, const char *baseline,
               json_object **ret, char **ret_error) {
        _cleanup_buffer_ Buffer question = BUFFER_NULL, line = BUFFER_NULL;
        int r;

        assert(c && command && ret && ret_error);

        r = format_question(command, arguments, &question);
        if (r == 0)
                r = run_program(c, baseline, &question, &line, ret_error);

        return r == 0 ? take_answer(&line, ret, ret_error) : r;
}

int tpm_ask(const Context *c, const char *command, json_object *arguments, json_object **ret, char **ret_error) {
        return ask(c, command, arguments, NULL, ret, ret_error);
}

static int ask_bank(const Context *c, const char *command, Algorithm bank, const char *baseline, json_object **ret,
                    char **ret_error) {
        json_object *arguments = bank >= 0 ? json_object_new_object() : NULL;

        if (bank >= 0 && (!arguments || json_set_text(arguments, "bank", algorithm_to_string(bank)) < 0)) {
                json_object_put(arguments);
                return -ENOMEM;
        }

        return ask(c, command, arguments, baseline, ret, ret_error);
}

int tpm_pcrs(const Context *c, Algorithm bank, Pcrs *ret, json_object **ret_document, char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        json_object *values;
        int r;

        r = ask_bank(c, "pcrs", bank, NULL, &o, ret_error);
        if (r != 0)
                return r;

        if (!json_object_object_get_ex(o, "pcrs", &values) || pcrs_from_json(values, ret) < 0)
                return not_understood(ret_error);
        if (ret_document)
                *ret_document = TAKE_PTR(o);
        return 0;
}

int tpm_verdict(const Context *c, Algorithm bank, const char *baseline, Verdict **ret, json_object **ret_document,
                char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = ask_bank(c, "verdict", bank, baseline, &o, ret_error);
        if (r == 0)
                r = verdict_from_json(o, ret);
        if (r == -EBADMSG)
                return not_understood(ret_error);
        if (r == 0 && ret_document)
                *ret_document = TAKE_PTR(o);

        return r;
}

Algorithm tpm_bank(const Context *c, const Policy *policy) {
        const char *wanted = policy_word(policy, "measured-boot", "bank", "sha256");
        Algorithm bank = tpm_verb_options(c)->bank >= 0 ? tpm_verb_options(c)->bank : algorithm_from_string(wanted);

        return bank >= 0 ? bank : ALGORITHM_SHA256;
}

int tpm_read_baseline(const Root *root, const char *path, Baseline **ret, char **ret_error) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char *error = NULL;
        int r;

        r = root_read(root, path, BASELINE_SIZE_MAX, &b);
        if (r == -ENOMEM || r == -ENOENT)
                return r;
        if (r < 0)
                return sentence(ret_error, xasprintf("%s cannot be read: %s", path, strerror(-r)));

        r = baseline_parse(b.data, b.size, path, ret, &error);
        return r == -EBADMSG ? sentence(ret_error, error) : r;
}

int tpm_complain(const Context *c, int r, const char *error) {
        return r == TPM_NO_ANSWER ? complain(c, "%s", error) : r;
}

int tpm_load_baseline(const Context *c, const char *path, Baseline **ret) {
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_read_baseline(c->root, path, ret, &error);
        if (r == -ENOENT)
                return complain(c, "%s does not exist; `gtune baseline save` makes it of the present values", path);

        return tpm_complain(c, r, error);
}
