/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Goes through the commands of a grub.cfg, and through the files that it reads, and gives the variables their values.
 *
 * Tested by test-grub-scope.c.
 */

#include <assert.h>

#include "grub/boot-files.h"
#include "grub/grub-scope-variables.h"
#include "grub/grubenv.h"

/* Files that a grub.cfg reads: how many, and how deep. What is beyond is not known. */
#define SCOPE_FILES_MAX 64U
#define SCOPE_DEPTH_MAX 8U
/* Files whose existence is tested. After that, it is not known. */
#define SCOPE_TESTS_MAX 4096U
#define SCOPE_FILE_SIZE_MAX (1024U * 1024U)

/* The work for a file, in bytes of values and looked up variables. After that, variables are not known. */
#define SCOPE_WORK_MAX (64U * 1024U * 1024U)

typedef enum ScopeOutcome {
        OUTCOME_MAYBE,
        OUTCOME_YES,
        OUTCOME_NO,
} ScopeOutcome;

typedef struct ScopeRun {
        const Root *root;
        const char *directory; /* of the grub.cfg: GRUB's $prefix */
        GrubVisit visit;
        void *userdata;
        GrubSource **sources; /* the grub.cfg, and the files that it reads, which belong to the run */
        size_t n_sources;
        unsigned n_files, n_tests, depth;
} ScopeRun;

/* A command, and the variables that it sees and changes. */
typedef struct ScopeCommand {
        ScopeRun *run;
        GrubScope *scope;
        GrubSource *source;
        const ScriptCommand *c;
        bool may; /* it may not run */
} ScopeCommand;

static int scope_run_outside(ScopeRun *run, GrubScope *globals, GrubSource *source, bool may);

/* The first argument of a form, or "". */
static const char *scope_first(const GrubForm *form) {
        return form->n_args > 0 ? form->args.data : "";
}

/* The last form is that of the values that were assigned last. */
static const GrubForm *scope_expected(const GrubExpansion *e) {
        return e->forms + e->n_forms - 1;
}

/* NAME=VALUE: the first argument of each form is one value. */
static int scope_assign(const ScopeCommand *k, const ScriptWord *w) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        bool may = k->may;
        int r;

        r = grub_scope_expand(k->scope, &k->source->script, w, &e);
        if (r < 0)
                return r;

        for (size_t i = 0; i < e.n_forms; i++) {
                const char *arg = scope_first(e.forms + i), *equals = strchr(arg, '=');
                _cleanup_free_ char *name = NULL;

                if (!equals)
                        continue;
                name = strndup(arg, (size_t) (equals - arg));
                if (!name)
                        return -ENOMEM;

                r = scope_set(k->scope, name, equals + 1, may);
                /* A value that begins with a reference is not known. */
                if (r >= 0 && (e.unknown || e.uncertain || equals[1] == '$'))
                        r = scope_set_unknown(k->scope, name, /* may= */ true);
                if (r < 0)
                        return r;
                may = true;
        }

        return 0;
}

static int scope_run_set(const ScopeCommand *k) {
        return k->c->n_words > 1 ? scope_assign(k, k->c->words + 1) : 0;
}

static int scope_run_unset(const ScopeCommand *k) {
        for (size_t i = 1; i < k->c->n_words; i++) {
                int r;

                r = scope_set(k->scope, k->c->words[i].value, NULL, k->may);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int scope_run_export(const ScopeCommand *k) {
        for (size_t i = 1; i < k->c->n_words; i++) {
                const ScriptWord *w = k->c->words + i;
                int r;

                r = scope_export(k->scope, w->n_references > 0 ? NULL : w->value, k->may);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int scope_run_read(const ScopeCommand *k) {
        const ScriptWord *last = k->c->words + k->c->n_words - 1;

        return k->c->n_words > 1 ? scope_set_unknown(k->scope, last->value, k->may) : 0;
}

/* "for NAME in WORD..." */
static int scope_run_for(const ScopeCommand *k) {
        const char *name = k->c->words[1].value;
        bool may = k->may;

        for (size_t i = 2; i < k->c->n_words; i++, may = true) {
                const ScriptWord *w = k->c->words + i;
                int r;

                if (w->n_references > 0 || strpbrk(w->value, "*?"))
                        r = scope_set_unknown(k->scope, name, may);
                else
                        r = scope_set(k->scope, name, w->value, may);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int scope_run_eval(const ScopeCommand *k) {
        scope_open(k->scope);
        return 0;
}

/*
 * The path that a word names, as GRUB counts it from the file system that holds the file, without the device.
 * @option: "--file=" before it, or ""
 * @ret: takes the path, or NULL if it is not known; the caller frees it
 *
 * Return: 0 or -ENOMEM.
 */
static int scope_path_of(const ScopeCommand *k, const ScriptWord *w, const char *option, char **ret) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        const char *path, *device;
        int r;

        *ret = NULL;
        r = grub_scope_expand(k->scope, &k->source->script, w, &e);
        if (r < 0)
                return r;

        path = startswith(scope_first(scope_expected(&e)), option);
        if (!path || e.uncertain)
                return 0;
        device = *path == '(' ? strchr(path, ')') : NULL;
        if (device)
                path = device + 1;
        if (*path != '/' || strchr(path, '$'))
                return 0;

        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

/*
 * Read a file that GRUB names.
 * @path: its path, or NULL if that is not known
 * @ret_real: takes the real path; the caller frees it
 *
 * Return: 1; 0 if there is no such file; -ENXIO if that is not known; -ENOMEM.
 */
static int scope_read_file(const ScopeCommand *k, const char *path, size_t max, char **ret_real, Buffer *ret) {
        _cleanup_free_ char *real = NULL;
        int r;

        if (!path || k->run->n_files == SCOPE_FILES_MAX)
                return -ENXIO;
        k->run->n_files++;

        r = k->run->root ? boot_file_locate(k->run->root, NULL, path, &real) : 0;
        if (r < 0)
                return r;
        /* A file beside grub.cfg is missing for GRUB, too. Others can be on a file system that is not mounted. */
        if (r == 0)
                return k->run->root && path_is_within(path, k->run->directory) ? 0 : -ENXIO;

        r = root_read(k->run->root, real, max, ret);
        if (r < 0)
                return r == -ENOMEM ? r : -ENXIO;

        *ret_real = TAKE_PTR(real);
        return 1;
}

/* Whether load_env is told the names of variables, the words from "first" on, and this is none of them. */
static bool scope_block_leaves_out(const ScriptCommand *c, size_t first, const char *name) {
        for (size_t i = first; i < c->n_words; i++)
                if (streq(c->words[i].value, name))
                        return false;

        return first < c->n_words;
}

static int scope_take_block(const ScopeCommand *k, const Buffer *content, size_t first) {
        _cleanup_(grubenv_done) GrubEnv env = {};
        int r;

        if (!grubenv_is_block(content))
                return 0;

        r = grubenv_parse(content, &env);
        for (size_t i = 0; r >= 0 && i < env.n_variables; i++) {
                const GrubEnvVariable *v = env.variables + i;

                if (!scope_block_leaves_out(k->c, first, v->name))
                        r = scope_set(k->scope, v->name, strempty(v->value.text.data), k->may);
        }

        return r < 0 ? r : 0;
}

/*
 * Read the options of load_env.
 * @first: takes the word after them
 * @ret: takes the path of the block, or NULL if it is not known
 *
 * Return: 0; -ENXIO if an option or a name is not known; -ENOMEM.
 */
static int scope_block_path(const ScopeCommand *k, size_t *first, char **ret) {
        const ScriptCommand *c = k->c;
        const char *option = "";
        size_t file = 0;

        for (*first = 1; *first < c->n_words && *c->words[*first].value == '-'; ++*first) {
                const char *word = c->words[*first].value;

                if (startswith(word, "--file=")) {
                        option = "--file=";
                        file = *first;
                } else if ((streq(word, "-f") || streq(word, "--file")) && *first + 1 < c->n_words) {
                        option = "";
                        file = ++*first;
                } else if (!streq(word, "-s") && !streq(word, "--skip-sig"))
                        return -ENXIO;
        }
        for (size_t i = *first; i < c->n_words; i++)
                if (c->words[i].n_references > 0)
                        return -ENXIO;
        if (file > 0)
                return scope_path_of(k, c->words + file, option, ret);

        *ret = xasprintf("%s/" GRUBENV_NAME, k->run->directory);
        return *ret ? 0 : -ENOMEM;
}

/* load_env [--skip-sig] [--file FILE] [NAME...] (grub-core/commands/loadenv.c) */
static int scope_run_load_env(const ScopeCommand *k) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        _cleanup_free_ char *path = NULL, *real = NULL;
        size_t first;
        int r;

        r = scope_block_path(k, &first, &path);
        if (r >= 0)
                r = scope_read_file(k, path, GRUBENV_SIZE_MAX, &real, &content);
        if (r == -ENXIO) {
                scope_open(k->scope);
                return 0;
        }

        return r > 0 ? scope_take_block(k, &content, first) : r;
}

static int scope_add_source(ScopeRun *run, GrubSource **ret) {
        GrubSource *s;
        int r;

        r = grow(&run->sources, run->n_sources, sizeof(GrubSource *));
        if (r < 0)
                return r;

        s = calloc(1, sizeof(GrubSource));
        if (!s)
                return -ENOMEM;

        run->sources[run->n_sources++] = s;
        *ret = s;
        return 0;
}

/* Read the file of "source FILE" and ". FILE". Return: as scope_read_file(). */
static int scope_read_source(const ScopeCommand *k, GrubSource *s) {
        _cleanup_free_ char *path = NULL;
        ScriptError error;
        int r;

        r = scope_path_of(k, k->c->words + 1, "", &path);
        if (r < 0)
                return r;

        r = scope_read_file(k, path, SCOPE_FILE_SIZE_MAX, &s->path, &s->content);
        if (r <= 0)
                return r;

        /* GRUB drops a command with an error, and reads on after it: what the file does is not known. */
        r = script_parse(s->content.data, s->content.size, &s->script, &error);
        return r == -EINVAL ? -ENXIO : r < 0 ? r : 1;
}

/* The commands of another file run here. */
static int scope_run_source(const ScopeCommand *k) {
        GrubSource *s;
        int r;

        if (k->c->n_words < 2)
                return 0;

        r = scope_add_source(k->run, &s);
        if (r < 0)
                return r;

        r = k->run->depth < SCOPE_DEPTH_MAX ? scope_read_source(k, s) : -ENXIO;
        if (r == -ENXIO)
                scope_open(k->scope);
        if (r <= 0)
                return r == -ENOMEM ? r : 0;

        k->run->depth++;
        r = scope_run_outside(k->run, k->scope, s, k->may);
        k->run->depth--;
        return r;
}

/* What a condition says of the existence of a file. */
static int scope_test_file(const ScopeCommand *k, const ScriptWord *w, ScopeOutcome *ret) {
        _cleanup_free_ char *path = NULL, *real = NULL;
        int r;

        r = scope_path_of(k, w, "", &path);
        if (r < 0 || !path || !k->run->root || k->run->n_tests == SCOPE_TESTS_MAX)
                return r;
        k->run->n_tests++;

        r = boot_file_locate(k->run->root, NULL, path, &real);
        if (r > 0)
                *ret = OUTCOME_YES;
        else if (r == 0 && path_is_within(path, k->run->directory))
                *ret = OUTCOME_NO;
        return r < 0 ? r : 0;
}

/* The only argument that a word becomes; NULL if it can become several ones, or is not known. */
static int scope_only_value(const ScopeCommand *k, const ScriptWord *w, char **ret) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        int r;

        *ret = NULL;
        r = grub_scope_expand(k->scope, &k->source->script, w, &e);
        if (r < 0)
                return r;
        if (e.n_forms > 1 || e.unknown || e.uncertain || e.forms[0].n_args > 1 || strchr(scope_first(e.forms), '$'))
                return 0;

        *ret = strdup(scope_first(e.forms));
        return *ret ? 0 : -ENOMEM;
}

static int scope_test_equal(const ScopeCommand *k, const ScriptWord *a, const ScriptWord *b, bool equal,
                            ScopeOutcome *ret) {
        _cleanup_free_ char *x = NULL, *y = NULL;
        int r;

        r = scope_only_value(k, a, &x);
        if (r >= 0)
                r = scope_only_value(k, b, &y);
        if (r >= 0 && x && y)
                *ret = streq(x, y) == equal ? OUTCOME_YES : OUTCOME_NO;
        return r;
}

static int scope_test_empty(const ScopeCommand *k, const ScriptWord *w, bool empty, ScopeOutcome *ret) {
        _cleanup_free_ char *x = NULL;
        int r;

        r = scope_only_value(k, w, &x);
        if (r >= 0 && x)
                *ret = (*x == 0) == empty ? OUTCOME_YES : OUTCOME_NO;
        return r;
}

/* "[ ... ]" and "test ..." (grub-core/commands/test.c), as far as the file decides them. */
static int scope_run_test(const ScopeCommand *k) {
        const ScriptWord *w = k->c->words;
        size_t n = k->c->n_words - (streq(w[0].value, "[") && streq(w[k->c->n_words - 1].value, "]"));
        ScopeOutcome outcome = OUTCOME_MAYBE;
        int r = 0;

        if (n == 2)
                r = scope_test_empty(k, w + 1, /* empty= */ false, &outcome);
        else if (n == 3 && (streq(w[1].value, "-z") || streq(w[1].value, "-n")))
                r = scope_test_empty(k, w + 2, streq(w[1].value, "-z"), &outcome);
        else if (n == 3 && (streq(w[1].value, "-s") || streq(w[1].value, "-f") || streq(w[1].value, "-e")))
                r = scope_test_file(k, w + 2, &outcome);
        else if (n == 4 && (streq(w[2].value, "=") || streq(w[2].value, "==") || streq(w[2].value, "!=")))
                r = scope_test_equal(k, w + 1, w + 3, *w[2].value == '=', &outcome);

        k->source->outcomes[k->c - k->source->script.commands] = (int8_t) outcome;
        return r;
}

/* The variables that a command is told to set: "--set=NAME", "--set=1:NAME", "--set NAME" or "-s NAME". */
static int scope_run_other(const ScopeCommand *k) {
        const ScriptCommand *c = k->c;

        if (c->words[0].value[0] != '=' && strchr(c->words[0].value, '='))
                return scope_assign(k, c->words);

        for (size_t i = 1; i < c->n_words; i++) {
                const char *name = startswith(c->words[i].value, "--set="), *colon;
                int r;

                if (!name && i + 1 < c->n_words &&
                    (streq(c->words[i].value, "--set") || streq(c->words[i].value, "-s")))
                        name = c->words[i + 1].value;
                if (!name)
                        continue;

                colon = strchr(name, ':');
                r = scope_set_unknown(k->scope, colon ? colon + 1 : name, k->may);
                if (r < 0)
                        return r;
        }

        return 0;
}

static const struct {
        const char *name;
        int (*run)(const ScopeCommand *k);
} scope_commands[] = {
        { "set",      scope_run_set      },
        { "unset",    scope_run_unset    },
        { "export",   scope_run_export   },
        { "load_env", scope_run_load_env },
        { "source",   scope_run_source   },
        { ".",        scope_run_source   },
        { "[",        scope_run_test     },
        { "test",     scope_run_test     },
        { "for",      scope_run_for      },
        /* The last word is the variable: read NAME, and file_env -f FILE NAME of Home Assistant's GRUB. */
        { "read",     scope_run_read     },
        { "file_env", scope_run_read     },
        { "eval",     scope_run_eval     },
};

/* Whether a command runs, as far as its condition says that. */
static ScopeOutcome scope_outcome(const GrubSource *source, const ScriptCommand *c) {
        ScopeOutcome outcome = c->guard == SCRIPT_NO_PARENT ? OUTCOME_MAYBE : (ScopeOutcome) source->outcomes[c->guard];

        if (c->otherwise)
                return outcome == OUTCOME_YES ? OUTCOME_NO : OUTCOME_MAYBE;
        return outcome;
}

/*
 * Run a command, unless its condition says that it does not run.
 * @may: the file that holds it may not be read at all
 */
static int scope_run_command(ScopeRun *run, GrubScope *scope, GrubSource *source, const ScriptCommand *c, bool may) {
        ScopeOutcome outcome = scope_outcome(source, c);
        ScopeCommand k = { run, scope, source, c, may || c->in_function || (c->conditional && outcome != OUTCOME_YES) };
        int r;

        if (c->conditional && outcome == OUTCOME_NO)
                return 0;

        r = run->visit(run->userdata, scope, source, c);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(scope_commands); i++)
                if (streq(c->words[0].value, scope_commands[i].name))
                        return scope_commands[i].run(&k);

        return scope_run_other(&k);
}

/* The commands that run when the file is read. */
static int scope_run_outside(ScopeRun *run, GrubScope *globals, GrubSource *source, bool may) {
        const Script *s = &source->script;
        int r;

        source->outcomes = calloc(s->n_commands + 1, sizeof(*source->outcomes));
        if (!source->outcomes)
                return -ENOMEM;

        for (size_t i = 0; i < s->n_commands; i++) {
                if (s->commands[i].parent != SCRIPT_NO_PARENT || s->commands[i].in_function)
                        continue;
                r = scope_run_command(run, globals, source, s->commands + i, may);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The commands of functions: it is not followed when they are called. */
static int scope_run_functions(ScopeRun *run, GrubScope *globals, GrubSource *source) {
        const Script *s = &source->script;
        int r;

        globals->in_functions = true;
        for (size_t i = 0; i < s->n_commands; i++) {
                if (!s->commands[i].in_function)
                        continue;
                r = scope_run_command(run, globals, source, s->commands + i, /* may= */ true);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The menus around a command, the outermost first, each with its own variables. */
typedef struct ScopeMenus {
        struct ScopeMenu {
                GrubScope *scope;
                size_t command;
        } *menus;
        size_t n;
} ScopeMenus;

static void scope_menus_leave(ScopeMenus *m) {
        grub_scope_free(m->menus[--m->n].scope);
}

static void scope_menus_done(ScopeMenus *m) {
        while (m->n > 0)
                scope_menus_leave(m);
        free(m->menus);
}

/* Go to the menu that is around a command. A menu comes before what it holds, so that the menus nest as on a stack. */
static int scope_menus_enter(ScopeMenus *m, GrubScope *globals, const Script *s, size_t menu, GrubScope **ret) {
        GrubScope *outer = globals;
        int r;

        while (m->n > 0 && m->menus[m->n - 1].command != menu && m->menus[m->n - 1].command != s->commands[menu].parent)
                scope_menus_leave(m);

        if (m->n > 0)
                outer = m->menus[m->n - 1].scope;
        if (m->n == 0 || m->menus[m->n - 1].command != menu) {
                r = grow(&m->menus, m->n, sizeof(struct ScopeMenu));
                if (r < 0)
                        return r;

                m->menus[m->n] = (struct ScopeMenu) { calloc(1, sizeof(GrubScope)), menu };
                if (!m->menus[m->n].scope)
                        return -ENOMEM;
                m->menus[m->n].scope->left = globals->left;
                m->menus[m->n].scope->submenu = streq(s->commands[menu].words[0].value, "submenu");
                m->menus[m->n++].scope->outer = outer;
        }

        *ret = m->menus[m->n - 1].scope;
        return 0;
}

static int scope_run_menus(ScopeRun *run, GrubScope *globals, GrubSource *source) {
        _cleanup_(scope_menus_done) ScopeMenus menus = {};
        const Script *s = &source->script;
        GrubScope *scope;
        int r;

        for (size_t i = 0; i < s->n_commands; i++) {
                if (s->commands[i].parent == SCRIPT_NO_PARENT || s->commands[i].in_function)
                        continue;
                r = scope_menus_enter(&menus, globals, s, s->commands[i].parent, &scope);
                if (r >= 0)
                        r = scope_run_command(run, scope, source, s->commands + i, /* may= */ false);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int scope_run_all(ScopeRun *run, GrubScope *globals, GrubSource *source) {
        int r;

        r = scope_set(globals, "prefix", run->directory, /* may= */ false);
        if (r >= 0)
                r = scope_set(globals, "config_directory", run->directory, /* may= */ false);
        if (r >= 0)
                r = scope_run_outside(run, globals, source, /* may= */ false);
        if (r >= 0)
                r = scope_run_functions(run, globals, source);
        for (size_t i = 0; r >= 0 && i < run->n_sources; i++)
                r = scope_run_functions(run, globals, run->sources[i]);
        globals->in_functions = false;
        if (r >= 0)
                r = scope_run_menus(run, globals, source);
        for (size_t i = 0; r >= 0 && i < run->n_sources; i++)
                r = scope_run_menus(run, globals, run->sources[i]);

        return r;
}

void grub_source_done(GrubSource *s) {
        free(s->path);
        buffer_done(&s->content);
        script_done(&s->script);
        free(s->outcomes);
}

static void scope_run_done(ScopeRun *run) {
        for (size_t i = 0; i < run->n_sources; i++) {
                grub_source_done(run->sources[i]);
                free(run->sources[i]);
        }
        free(run->sources);
}

int grub_scope_run(const Root *root, GrubSource *source, GrubVisit visit, void *userdata, GrubScope **ret) {
        _cleanup_(grub_scope_freep) GrubScope *globals = calloc(1, sizeof(GrubScope));
        _cleanup_free_ char *directory = strdup(source->path);
        _cleanup_(scope_run_done) ScopeRun run = {
                .root = root,
                .directory = directory,
                .visit = visit,
                .userdata = userdata,
        };
        int r;

        assert(source);
        assert(visit);
        assert(ret);

        if (!globals || !directory)
                return -ENOMEM;

        *strrchr(directory, '/') = 0;
        globals->work = SCOPE_WORK_MAX;
        globals->left = &globals->work;
        r = scope_run_all(&run, globals, source);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(globals);
        return 0;
}
