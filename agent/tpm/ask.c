/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/tpm/ask.h"
#include "core/subprocess.h"
#include "core/text.h"

/* gtune-tpm ends after 20 s at the latest. Its largest answers are a page of 200 KiB and a verdict with 64 events. */
#define TPM_ANSWER_MSEC 25000U
#define TPM_ANSWER_MAX (1024U * 1024U)

static const char *tpm_program_path(void) {
        const char *path = secure_getenv("GTUNE_TPM");

        return path && *path == '/' ? path : GTUNE_TPM_PATH;
}

/* Takes a sentence, which may be NULL: no memory. Return: TPM_NO_ANSWER or -ENOMEM. */
static int tpm_no_answer(char **ret, char *text) {
        *ret = text;
        return text ? TPM_NO_ANSWER : -ENOMEM;
}

/* Escapes the text of another program for a terminal. Return: the text, or NULL: no memory. */
static char *tpm_clean_text(const char *text) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_puts(&b, "") < 0 || text_print(&b, text, strlen(text)) < 0)
                return NULL;

        return TAKE_PTR(b.data);
}

static int tpm_program_not_run(const char *path, int error, char **ret_error) {
        static const struct {
                int error;
                const char *meaning;
        } rows[] = {
                {-ENOENT, "does not exist: install the package gtuned-tpm"},
                {-EACCES, "may not be run by you: run gtune as root"},
                {-ETIMEDOUT, "did not end in time: look at the kernel's log for the TPM, and ask again"},
                {-EFBIG, "gave an answer that is too long: gtuned and gtuned-tpm must be of the same version"},
                {-EPROTO, "was ended by a signal: look at the journal, and ask again"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].error == error)
                        return tpm_no_answer(ret_error, xasprintf("%s %s", path, rows[i].meaning));

        return tpm_no_answer(ret_error, xasprintf("%s cannot be run: %s", path, error_text(-error)));
}

static int tpm_program_run(const Context *c, const char *baseline, const Buffer *question, Buffer *ret,
                           char **ret_error) {
        const char *path = tpm_program_path(), *words[6] = {path};
        _cleanup_buffer_ Buffer error = BUFFER_NULL;
        _cleanup_free_ char *text = NULL;
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

        r = subprocess_run(words, NULL, question, TPM_ANSWER_MSEC, TPM_ANSWER_MAX, ret, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return tpm_program_not_run(path, r, ret_error);

        if (ret->size > 0)
                return 0;

        /* gtune-tpm writes to standard error if it cannot even write an answer. */
        if (error.size == 0)
                return tpm_no_answer(ret_error,
                                     xasprintf("%s gave no answer: is it the gtune-tpm of this gtune?", path));
        text = tpm_clean_text(strip(error.data));
        if (!text)
                return -ENOMEM;

        return tpm_no_answer(ret_error, xasprintf("%s gave no answer: %s", path, text));
}

/* Remedies for classes of faults whose sentences have none. */
static const struct {
        const char *class, *remedy;
} tpm_remedies[] = {
        {"no-tpm", "give the guest a TPM 2.0 (libvirt: <tpm model='tpm-crb'>)"},
        {"tpm-no-driver", "load the kernel's TPM driver (tpm_crb or tpm_tis), or boot a kernel that has it"},
        {"tpm12", "give the guest a TPM 2.0 in its place"},
        {"no-device", "ask on the machine itself, where udev makes the device"},
        {"permission", "run gtune as root"},
        {"tpm-error", "look at the kernel's log for the TPM"},
        {"bad-answer", "look at the kernel's log for the TPM"},
        {"no-answer", "look at the kernel's log for the TPM, and on the host for its emulator"},
        {"no-library", "the package tpm2-tss has libtss2, and everything but a quote works without it"},
        {"bad-request", "gtuned and gtuned-tpm must be of the same version"},
};

static int tpm_answer_not_understood(char **ret_error) {
        return tpm_no_answer(ret_error,
                             xasprintf("%s gave an answer that cannot be understood: gtuned and gtuned-tpm must "
                                       "be of the same version",
                                       tpm_program_path()));
}

static int tpm_answer_take(const Buffer *line, json_object **ret, char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_free_ char *text = NULL;
        json_object *part = NULL;
        const char *class, *desc;
        int r;

        r = json_parse(line->data, line->size, &o);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !json_object_is_type(o, json_type_object) || json_object_object_length(o) != 1)
                return tpm_answer_not_understood(ret_error);

        if (json_object_object_get_ex(o, "return", &part) && json_object_is_type(part, json_type_object)) {
                *ret = json_object_get(part);
                return 0;
        }
        if (!json_object_object_get_ex(o, "error", &part) || !json_object_is_type(part, json_type_object))
                return tpm_answer_not_understood(ret_error);

        class = json_get_text(part, "class");
        desc = json_get_text(part, "desc");
        if (!class || !desc)
                return tpm_answer_not_understood(ret_error);

        text = tpm_clean_text(desc);
        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(tpm_remedies); i++)
                if (streq(tpm_remedies[i].class, class))
                        return tpm_no_answer(ret_error, xasprintf("%s; %s", text, tpm_remedies[i].remedy));

        return tpm_no_answer(ret_error, TAKE_PTR(text));
}

static int tpm_ask_with_baseline(const Context *c, const char *command, json_object *arguments, const char *baseline,
                                 json_object **ret, char **ret_error) {
        _cleanup_json_ json_object *o = json_object_new_object(), *owned = arguments;
        _cleanup_buffer_ Buffer question = BUFFER_NULL, line = BUFFER_NULL;
        int r;

        assert(c && command && ret && ret_error);

        if (!o || json_set_text(o, "execute", command) < 0 || (owned && json_set(o, "arguments", TAKE_PTR(owned)) < 0))
                return -ENOMEM;

        r = json_format(o, &question);
        if (r < 0)
                return r;
        r = tpm_program_run(c, baseline, &question, &line, ret_error);
        if (r != 0)
                return r;

        return tpm_answer_take(&line, ret, ret_error);
}

int tpm_ask(const Context *c, const char *command, json_object *arguments, json_object **ret, char **ret_error) {
        return tpm_ask_with_baseline(c, command, arguments, NULL, ret, ret_error);
}

static int tpm_ask_bank(const Context *c, const char *command, Algorithm bank, const char *baseline, json_object **ret,
                        char **ret_error) {
        json_object *arguments = bank >= 0 ? json_object_new_object() : NULL;

        if (bank >= 0 && (!arguments || json_set_text(arguments, "bank", algorithm_to_string(bank)) < 0)) {
                json_object_put(arguments);
                return -ENOMEM;
        }

        return tpm_ask_with_baseline(c, command, arguments, baseline, ret, ret_error);
}

/* An older gtune-tpm does not list them. */
static unsigned tpm_empty_banks(json_object *answer) {
        json_object *array = json_get_array(answer, "empty_banks");
        size_t n = array ? json_object_array_length(array) : 0;
        unsigned banks = 0;

        for (size_t i = 0; i < n; i++) {
                json_object *name = json_object_array_get_idx(array, i);
                Algorithm bank = json_object_is_type(name, json_type_string)
                                         ? algorithm_from_string(json_object_get_string(name))
                                         : _ALGORITHM_INVALID;

                if (bank >= 0)
                        banks |= 1U << bank;
        }

        return banks;
}

int tpm_pcrs(const Context *c, Algorithm bank, Pcrs *ret, json_object **ret_document, char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        json_object *values;
        int r;

        r = tpm_ask_bank(c, "pcrs", bank, NULL, &o, ret_error);
        if (r != 0)
                return r;

        if (!json_object_object_get_ex(o, "pcrs", &values) || pcrs_from_json(values, ret) < 0)
                return tpm_answer_not_understood(ret_error);
        ret->empty = tpm_empty_banks(o);
        if (ret_document)
                *ret_document = TAKE_PTR(o);
        return 0;
}

int tpm_verdict(const Context *c, Algorithm bank, const char *baseline, Verdict **ret, json_object **ret_document,
                char **ret_error) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = tpm_ask_bank(c, "verdict", bank, baseline, &o, ret_error);
        if (r != 0)
                return r;

        r = verdict_from_json(o, ret);
        if (r == -EBADMSG)
                return tpm_answer_not_understood(ret_error);
        if (r < 0)
                return r;
        if (ret_document)
                *ret_document = TAKE_PTR(o);

        return 0;
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
                return tpm_no_answer(ret_error, xasprintf("%s cannot be read: %s", path, error_text(-r)));

        r = baseline_parse(b.data, b.size, path, ret, &error);
        return r == -EBADMSG ? tpm_no_answer(ret_error, error) : r;
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
