/* SPDX-License-Identifier: Apache-2.0 */

#include "qga-policy/catalogue.h"
#include "qga-policy/restrictions.h"

void restrictions_done(Restrictions *r) {
        for (size_t i = 0; i < r->n; i++) {
                names_done(&r->list[i].names);
                free(r->list[i].source);
        }
        free(r->list);
        names_done(&r->left_open);
        free(r->left_open_source);
        free(r->left_open_why);
        *r = (Restrictions) {};
}

/* Note a name that is written to be closed, and has no effect there. */
static int restrictions_leave_open(Restrictions *r, const char *name, const char *source, const char *why) {
        if (!r->left_open_source && (free_and_strdup(&r->left_open_source, source) < 0 ||
                                     free_and_strdup(&r->left_open_why, why) < 0))
                return -ENOMEM;

        return names_add(&r->left_open, name);
}

/* A name with white space around it matches no RPC. */
static int restrictions_check_blanks(Restrictions *r, const Restriction *restriction) {
        for (size_t i = 0; i < restriction->names.n; i++) {
                _cleanup_free_ char *copy = strdup(restriction->names.list[i]);
                const char *name;

                if (!copy)
                        return -ENOMEM;

                name = strip(copy);
                if (restriction->allow || streq(name, restriction->names.list[i]) || !rpc_find(name))
                        continue;
                if (restrictions_leave_open(r, name, restriction->source, "there is a blank beside the name") < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* @text: the names, separated by commas; NULL: they are in @names */
static int restrictions_add_list(Restrictions *r, bool allow, bool by_conf, const char *source, const char *text,
                    const Names *names) {
        Restriction *restriction;

        if (grow(&r->list, r->n, sizeof(Restriction)) < 0)
                return -ENOMEM;

        restriction = r->list + r->n++;
        restriction->allow = allow;
        restriction->by_conf = by_conf;
        if (free_and_strdup(&restriction->source, source) < 0 ||
            (text && names_add_split(&restriction->names, text) < 0) ||
            (names && names_add_all(&restriction->names, names) < 0))
                return -ENOMEM;

        return restrictions_check_blanks(r, restriction);
}

static int restrictions_take_argument(Restrictions *r, const ExecArgument *a, const ArgumentView *view,
                                      const char *source) {
        _cleanup_free_ char *own = NULL;
        const Rpc *rpc;

        if (a->variable) {
                own = xasprintf("%s:%u (%s)", a->variable->file, a->variable->line, a->variable->name);
                if (!own)
                        return -ENOMEM;
                source = own;
        }
        if (view->role == ROLE_BLOCK || view->role == ROLE_ALLOW)
                return restrictions_add_list(r, view->role == ROLE_ALLOW, false, source, view->value, NULL);
        if (view->role != ROLE_IGNORED)
                return 0;

        /* In "guest-exec, guest-file-open" the second name is an argument of its own. */
        rpc = rpc_find_n(a->text, strcspn(a->text, ","));
        if (!rpc)
                return 0;

        return restrictions_leave_open(r, rpc->name, source, "names are separated by commas, without blanks");
}

int restrictions_add_arguments(Restrictions *r, const ExecArguments *arguments, const QgaArguments *view,
                               const char *source) {
        for (size_t i = 0; i < arguments->n; i++)
                if (restrictions_take_argument(r, arguments->list + i, view->views + i, source) < 0)
                        return -ENOMEM;

        return 0;
}

static int restrictions_add_conf_list(Restrictions *r, const QgaConf *conf, const QgaConfList *list, bool allow) {
        _cleanup_free_ char *source = NULL;

        if (!list->key)
                return 0;

        source = xasprintf("%s:%u (%s)", conf->path, list->line, list->key);
        if (!source)
                return -ENOMEM;

        return restrictions_add_list(r, allow, /* by_conf= */ true, source, NULL, &list->names);
}

int restrictions_add_conf(Restrictions *r, const QgaConf *conf) {
        _cleanup_free_ char *source = NULL;
        int e;

        e = restrictions_add_conf_list(r, conf, &conf->block, /* allow= */ false);
        if (e < 0)
                return e;
        e = restrictions_add_conf_list(r, conf, &conf->allow, /* allow= */ true);
        if (e < 0 || !conf->ignored.key || streq(conf->ignored.key, "allow-rpcs"))
                return e;

        source = xasprintf("%s:%u (%s)", conf->path, conf->ignored.line, conf->ignored.key);
        if (!source)
                return -ENOMEM;

        for (size_t i = 0; i < conf->ignored.names.n; i++) {
                e = restrictions_leave_open(r, conf->ignored.names.list[i], source, "this qemu-ga ignores that key");
                if (e < 0)
                        return e;
        }

        return 0;
}

bool restrictions_have_allow(const Restrictions *r, bool by_conf) {
        for (size_t i = 0; i < r->n; i++)
                if (r->list[i].allow && r->list[i].by_conf == by_conf && r->list[i].names.n > 0)
                        return true;

        return false;
}

const Restriction *restrictions_close(const Restrictions *r, const char *name) {
        const Restriction *allow = NULL;
        bool allowed = false;

        for (size_t i = 0; i < r->n; i++) {
                const Restriction *restriction = r->list + i;
                bool has = names_has(&restriction->names, name);

                if (!restriction->allow && has)
                        return restriction;
                if (restriction->allow && restriction->names.n > 0 && !allow)
                        allow = restriction;
                allowed = allowed || (restriction->allow && has);
        }

        return allowed ? NULL : allow;
}

int restrictions_closed(const Restrictions *r, const Names *names, Names *ret) {
        for (size_t i = 0; i < names->n; i++)
                if (restrictions_close(r, names->list[i]) && names_add(ret, names->list[i]) < 0)
                        return -ENOMEM;

        return 0;
}
