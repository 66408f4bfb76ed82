/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/wish.h"

#define WISH_SECTION "qga-policy"

static const char *const wish_enable_choices[] = {"auto", "yes", "no", NULL};
static const char *const wish_preset_choices[] = {"none", "hardened", NULL};

const PolicyKey wish_keys[WISH_N_KEYS] = {
        {WISH_SECTION, "enable", KEY_CHOICE, wish_enable_choices,
         "auto wants it if block, allow or preset closes something"},
        {WISH_SECTION, "block", KEY_LIST, NULL, "groups and RPCs that the host may not call"},
        {WISH_SECTION, "allow", KEY_LIST, NULL,
         "groups and RPCs that the host may call, and no others; of several files, what each of them allows"},
        {WISH_SECTION, "preset", KEY_CHOICE, wish_preset_choices, "hardened blocks file-access, exec and credentials"},
};

void wish_done(Wish *wish) {
        names_done(&wish->closed);
        names_done(&wish->open);
        names_done(&wish->missing);
        names_done(&wish->disputed);
        *wish = (Wish) {};
}

static bool wish_is_hardened(const Policy *policy) {
        return streq(policy_word(policy, WISH_SECTION, "preset", "none"), "hardened");
}

static bool wish_says_something(const Policy *policy, const char *key) {
        const char *value = policy_word(policy, WISH_SECTION, key, "");

        return value[strspn(value, ", \t")] != 0;
}

bool wish_restricts(const Policy *policy) {
        return wish_is_hardened(policy) || wish_says_something(policy, "block") || wish_says_something(policy, "allow");
}

/* The items of a line of a list. Return: 0 or -ENOMEM. */
static int wish_read_items(const char *text, Names *ret) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        if (!copy)
                return -ENOMEM;

        while (rest) {
                const char *item = strip(strsep(&rest, ","));

                if (*item && names_add(ret, item) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* At most so many characters of an item are printed, so that a hostile item does not fill the screen. */
#define WISH_ITEM_WIDTH 80

static int wish_check_item(Policy *policy, const char *key, const PolicyPart *part, const char *item,
                           const Names *known) {
        const char *nearest;

        if (strpbrk(item, " \t"))
                return policy_error(policy, part->file, part->line, "%s = %.*s: separate the names with commas", key,
                                    WISH_ITEM_WIDTH, item);
        if (!name_is_plain(item))
                return policy_error(policy, part->file, part->line,
                                    "%s = %.*s: a name holds only small letters, digits and -", key, WISH_ITEM_WIDTH,
                                    item);
        if (rpc_group_from_name(item) >= 0 || rpc_find(item) || names_has(known, item))
                return 0;

        nearest = rpc_nearest(item, known);
        return policy_error(policy, part->file, part->line, "%s = %s: neither a group nor an RPC of qemu-ga%s%s%s",
                            key, item, nearest ? "; did you mean " : "", strempty(nearest), nearest ? "?" : "");
}

static int wish_check_part(Policy *policy, const char *key, const PolicyPart *part, const Names *known) {
        _cleanup_names_ Names items = {};

        if (wish_read_items(part->text, &items) < 0)
                return -ENOMEM;
        if (items.n == 0)
                return policy_error(policy, part->file, part->line,
                                    "%s = %.*s: commas only; name a group or an RPC, or write \"%s =\" to clear the "
                                    "list",
                                    key, WISH_ITEM_WIDTH, part->text, key);

        for (size_t i = 0; i < items.n; i++)
                if (wish_check_item(policy, key, part, items.list[i], known) < 0)
                        return -ENOMEM;

        return 0;
}

int wish_check(Policy *policy, const Names *known) {
        static const char *const keys[] = {"block", "allow"};

        for (size_t k = 0; k < ELEMENTSOF(keys); k++) {
                const PolicySetting *s = policy_get(policy, WISH_SECTION, keys[k]);

                for (size_t i = 0; s && i < s->n_parts; i++)
                        if (wish_check_part(policy, keys[k], s->parts + i, known) < 0)
                                return -ENOMEM;
        }

        return 0;
}

/* Expand an item of the policy, a group or a name, to the RPCs that it stands for. */
static int wish_expand_item(const char *item, const Names *names, Wish *wish, Names *ret) {
        RpcGroup group = rpc_group_from_name(item);

        if (group < 0) {
                wish->spoken_of[rpc_group_of(item)] = true;
                return names_add(names_has(names, item) ? ret : &wish->missing, item);
        }

        wish->spoken_of[group] = true;
        for (size_t i = 0; i < names->n; i++)
                if (rpc_group_of(names->list[i]) == group && names_add(ret, names->list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

/*
 * Expand the lines of a list that one file has.
 * @first: the first of them; takes the first line of the next file
 *
 * Return: the number of items, or -ENOMEM.
 */
static int wish_expand_file(const PolicySetting *s, size_t *first, const Names *names, Wish *wish, Names *ret) {
        const char *file = s->parts[*first].file;
        _cleanup_names_ Names items = {};

        for (; *first < s->n_parts && streq(s->parts[*first].file, file); (*first)++)
                if (wish_read_items(s->parts[*first].text, &items) < 0)
                        return -ENOMEM;

        for (size_t i = 0; i < items.n; i++)
                if (wish_expand_item(items.list[i], names, wish, ret) < 0)
                        return -ENOMEM;

        return (int) items.n;
}

/* What any file blocks is closed. */
static int wish_expand_block(const Policy *policy, const Names *names, Wish *wish, Names *ret) {
        const PolicySetting *s = policy_get(policy, WISH_SECTION, "block");
        int r = 0;

        for (size_t i = 0; s && i < s->n_parts && r >= 0;)
                r = wish_expand_file(s, &i, names, wish, ret);

        return r < 0 ? r : 0;
}

/* What a file does not allow is closed, whatever the other files allow. */
static int wish_expand_allow(const Policy *policy, const Names *names, Wish *wish, Names *ret) {
        const PolicySetting *s = policy_get(policy, WISH_SECTION, "allow");
        _cleanup_names_ Names by_any = {}, by_all = {};
        bool first = true;

        for (size_t i = 0; s && i < s->n_parts;) {
                _cleanup_names_ Names by_file = {}, both = {};
                int r = wish_expand_file(s, &i, names, wish, &by_file);

                if (r < 0 || names_add_all(&by_any, &by_file) < 0)
                        return -ENOMEM;
                if (r == 0)
                        continue;

                for (size_t k = 0; k < by_file.n; k++)
                        if ((first || names_has(&by_all, by_file.list[k])) && names_add(&both, by_file.list[k]) < 0)
                                return -ENOMEM;
                names_done(&by_all);
                by_all = both;
                both = (Names) {};
                first = false;
        }

        for (size_t i = 0; i < by_any.n; i++)
                if (names_add(names_has(&by_all, by_any.list[i]) ? ret : &wish->disputed, by_any.list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

static int wish_decide(const Names *names, const Names *block, const Names *allow, Wish *wish) {
        for (size_t i = 0; i < names->n; i++) {
                const char *name = names->list[i];
                bool closed = names_has(block, name) || (wish->allows && !names_has(allow, name));

                if ((closed || wish->allows) && names_add(closed ? &wish->closed : &wish->open, name) < 0)
                        return -ENOMEM;
        }

        /* An allow list decides about every group. */
        for (RpcGroup g = 0; wish->allows && g < _RPC_GROUP_MAX; g++)
                wish->spoken_of[g] = true;

        return 0;
}

int wish_read(const Policy *policy, const Names *names, Wish *ret) {
        _cleanup_names_ Names block = {}, allow = {};
        _cleanup_(wish_done) Wish wish = {
                .restricts = wish_restricts(policy),
                .allows = wish_says_something(policy, "allow"),
        };

        assert(ret);

        *ret = (Wish) {};
        if (wish_expand_block(policy, names, &wish, &block) < 0)
                return -ENOMEM;

        for (RpcGroup g = 0; wish_is_hardened(policy) && g < _RPC_GROUP_MAX; g++)
                if (rpc_group_is_hardened(g) && wish_expand_item(rpc_group_name(g), names, &wish, &block) < 0)
                        return -ENOMEM;

        if (wish_expand_allow(policy, names, &wish, &allow) < 0)
                return -ENOMEM;
        if (wish_decide(names, &block, &allow, &wish) < 0)
                return -ENOMEM;

        *ret = wish;
        wish = (Wish) {};
        return 0;
}
