/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

#include "grub/grub-cfg.h"
#include "tests/unit/tree.h"

#define CFG "/boot/grub2/grub.cfg"
#define ENV "/boot/grub2/grubenv"
#define OTHER "/boot/other.cfg"
#define HEADER "# GRUB Environment Block\n"
#define M "menuentry A {\n"
#define T " cpuidle_haltpoll.force=Y"
#define N " cpuidle_haltpoll.force=N"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

/* The tokens of an entry, "?" after one that the kernel may not get. Those for init are left out. */
static char *describe(const BootEntry *e) {
        Buffer b = BUFFER_NULL;

        assert_int_equal(buffer_puts(&b, ""), 0);
        for (size_t i = 0; i < e->cmdline.n_tokens; i++) {
                const Token *t = e->cmdline.tokens + i;

                if (!t->for_init)
                        assert_int_equal(buffer_printf(&b, "%s%s%s%s%s", b.size > 0 ? " " : "", t->name,
                                                       t->value ? "=" : "", strempty(t->value), t->uncertain ? "?" : ""), 0);
        }

        return b.data;
}

/* What the kernel gets of the last entry, what is known of the token in it, and the last entry with the token added. */
static const struct {
        const char *cfg, *env, *other; /* files; NULL: there is none */
        const char *cmdline;
        TokenState state;
        const char *after;             /* the text that the file then has; NULL: nothing was added */
} cases[] = {
        /* set in the file */
        { "set x='a b'\n" M "linux /k $x\n}\n", NULL, NULL, "a b", TOKEN_ABSENT, "$x" T "\n" },
        { "set x='a b'\n" M "linux /k \"$x\"\n}\n", NULL, NULL, "a b", TOKEN_ABSENT, "\"$x\"" T "\n" },
        { "x=a\n" M "linux /k y=$x${x}b\n}\n", NULL, NULL, "y=aab", TOKEN_ABSENT, "y=$x${x}b" T "\n" },
        { "x=' a  b '\n" M "linux /k y$x.z\n}\n", NULL, NULL, "ya b.z", TOKEN_ABSENT, NULL },
        { "x=a\ny=\"$x b\"\nx=c\n" M "linux /k $y $x\n}\n", NULL, NULL, "a b c", TOKEN_ABSENT, "$y $x" T "\n" },
        { "x=a\n" M "x=b\nlinux /k $x\n}\n" M "linux /k $x\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "x=a\n" M "linux /k $x\nx=b\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { M "linux /k $x\n}\nx=a\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "x=a\nlinux /k $x\nx=b\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "submenu S {\nx=a\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "x=a\nunset x\n" M "linux /k $x b\n}\n", NULL, NULL, "b", TOKEN_ABSENT, NULL },
        { "x='$y'\n" M "linux /k \\$x '$x'\n}\n", NULL, NULL, "$x $x", TOKEN_ABSENT, NULL },
        { M "linux /k a $x b$x $x\n}\n", NULL, NULL, "a b", TOKEN_ABSENT, "a $x b$x $x" T "\n" },
        { M "linux /k $x -- b\n}\n", NULL, NULL, "", TOKEN_ABSENT, "/k $x" T " -- b\n" },
        /* the token, or its opposite */
        { "x='a" N "'\n" M "linux /k" T " $x\n}\n", NULL, NULL, "cpuidle_haltpoll.force=Y a cpuidle_haltpoll.force=N",
          TOKEN_OPPOSITE, NULL },
        { "x='a" T "'\n" M "linux /k $x b\n}\n", NULL, NULL, "a cpuidle_haltpoll.force=Y b", TOKEN_EQUAL, NULL },
        { "x='a" N "'\n" M "linux /k $x" T "\n}\n", NULL, NULL, "a cpuidle_haltpoll.force=N cpuidle_haltpoll.force=Y",
          TOKEN_EQUAL, NULL },
        { "x=force=N\n" M "linux /k cpuidle_haltpoll.$x\n}\n", NULL, NULL, "cpuidle_haltpoll.force=N", TOKEN_OPPOSITE,
          NULL },
        /* what follows "--" is for init */
        { "x='-- b'\n" M "linux /k a $x c\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T " $x c\n" },
        { "x='-- b'\n" M "linux /k a $x" T "\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T " $x" T "\n" },
        { "x=\"b \\\"c\"\n" M "linux /k a $x d\n}\n", NULL, NULL, "a b \\\"c d", TOKEN_ABSENT, "a" T " $x d\n" },
        /* an environment block */
        { "load_env\n" M "linux /k $x\n}\n", HEADER "x=a b\n", NULL, "a b", TOKEN_ABSENT, NULL },
        { "x=c\nload_env\n" M "linux /k $x\n}\n", HEADER "x=a b\n", NULL, "a b", TOKEN_ABSENT, NULL },
        { "load_env\nx=c\n" M "linux /k $x\n}\n", HEADER "x=a b\n", NULL, "c", TOKEN_ABSENT, NULL },
        { "load_env x\n" M "linux /k $x $y\n}\n", HEADER "x=a\ny=b\n", NULL, "a", TOKEN_ABSENT, NULL },
        { "load_env --file=/other.cfg\n" M "linux /k $x\n}\n", HEADER "x=a\n", NULL, "$x", TOKEN_ABSENT, NULL },
        { "load_env -f ($root)/other.cfg\n" M "linux /k $x\n}\n", NULL, HEADER "x=a\n", "a", TOKEN_ABSENT, NULL },
        { "p=/boot\nload_env --skip-sig --file $p/other.cfg x\n" M "linux /k $x\n}\n", NULL, HEADER "x=a\n", "a",
          TOKEN_ABSENT, NULL },
        { "load_env\n" M "linux /k a $x\n}\n", "no block", NULL, "a", TOKEN_ABSENT, "a $x" T "\n" },
        { "if [ -s $prefix/grubenv ]; then\nload_env\nfi\n" M "linux /k $x\n}\n", HEADER "x=a" T "\n", NULL,
          "a cpuidle_haltpoll.force=Y", TOKEN_EQUAL, NULL },
        { "if [ -s $prefix/grubenv ]; then\nload_env\nfi\n" M "linux /k $x\n}\n", NULL, NULL, "", TOKEN_ABSENT,
          "/k $x" T "\n" },
        { "if [ -z \"${x}\" ]; then\nset x=a\nfi\n" M "linux /k $x\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "x=a\nif [ -n \"$x\" ]; then\ny=b\nelif z; then\ny=c\nelse\ny=d\nfi\n" M "linux /k $y\n}\n", NULL, NULL, "b",
          TOKEN_ABSENT, NULL },
        { "if [ -n \"$x\" ]; then\ny=b\nelse\ny=d\nfi\n" M "linux /k $y\n}\n", NULL, NULL, "d?", TOKEN_ABSENT, NULL },
        { "load_env\nif [ -z \"${x}\" ]; then\nset x=a\nfi\n" M "linux /k $x\n}\n", HEADER "x=b" T "\n", NULL,
          "b cpuidle_haltpoll.force=Y", TOKEN_EQUAL, NULL },
        /* another file */
        { "source /boot/other.cfg\n" M "linux /k $x\n}\n", NULL, "set x=a\n", "a", TOKEN_ABSENT, NULL },
        { "source ($root)/other.cfg\n" M "linux /k $x\n}\n", NULL, "set x=a\n", "a", TOKEN_ABSENT, NULL },
        { "source /other.cfg\n" M "linux /k $x\n}\n", NULL, "source /other.cfg\nx=a\n", "a", TOKEN_ABSENT, NULL },
        /* what may happen: a token in it is not relied upon, and its opposite counts */
        { "x=a\nif y; then\nx=b\nfi\n" M "linux /k $x c\n}\n", NULL, NULL, "a? b? c", TOKEN_ABSENT, NULL },
        { "x='a c'\nif y; then\nx='b c'\nfi\n" M "linux /k $x\n}\n", NULL, NULL, "a? c b?", TOKEN_ABSENT, "$x" T "\n" },
        { "if y; then\nx='a" T "'\nfi\n" M "linux /k $x\n}\n", NULL, NULL, "a? cpuidle_haltpoll.force=Y?", TOKEN_ABSENT,
          "$x" T "\n" },
        { "if y; then\nx='a" N "'\nfi\n" M "linux /k" T " $x\n}\n", NULL, NULL,
          "cpuidle_haltpoll.force=Y a? cpuidle_haltpoll.force=N?", TOKEN_OPPOSITE, NULL },
        { "if y; then\nx='--'\nelse\nx='" N "'\nfi\n" M "linux /k a" T " $x\n}\n", NULL, NULL,
          "a cpuidle_haltpoll.force=Y cpuidle_haltpoll.force=N?", TOKEN_OPPOSITE, NULL },
        { "if y; then\nx='-- b'\nfi\n" M "linux /k a $x\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T " $x\n" },
        { "function f {\nset x=a\n}\n" M "f\nlinux /k $x b\n}\n", NULL, NULL, "a? b", TOKEN_ABSENT, "$x b" T "\n" },
        { "for x in a b; do\n" M "linux /k $x\n}\ndone\n", NULL, NULL, "a? b?", TOKEN_ABSENT, NULL },
        /* what is not known may hold "--": a new token comes before it */
        { "read x\n" M "linux /k a $x b\n}\n", NULL, NULL, "a $x b", TOKEN_ABSENT, "a" T " $x b\n" },
        { "probe --set=x --fs-uuid $root\n" M "linux /k root=UUID=$x b\n}\n", NULL, NULL, "root=UUID=$x b", TOKEN_ABSENT,
          "b" T "\n" },
        { "file_env -f ($root)/c x\n" M "linux /k a ${x}\n}\n", NULL, NULL, "a ${x}", TOKEN_ABSENT, "a" T " ${x}\n" },
        { "source /missing.cfg\n" M "linux /k a $x\n}\n", NULL, NULL, "a $x", TOKEN_ABSENT, "a" T " $x\n" },
        { "source /other.cfg\n" M "linux /k a $x\n}\n", NULL, "x=b\nif\n", "a $x", TOKEN_ABSENT, "a" T " $x\n" },
        { "source $prefix/custom.cfg\n" M "linux /k a $x\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a $x" T "\n" },
        { "read y\nset x=\"$y\"\n" M "linux /k a $x\n}\n", NULL, NULL, "a $y?", TOKEN_ABSENT, "a" T " $x\n" },
        /* commands that are not known can change a variable that is set before them, and not one that is set after them */
        { "x='a" T "'\neval \"set x=b\"\n" M "linux /k c $x\n}\n", NULL, NULL, "c a? cpuidle_haltpoll.force=Y?",
          TOKEN_ABSENT, "c" T " $x\n" },
        { "eval \"set x=b\"\nx='a" T "'\n" M "linux /k $x\n}\n", NULL, NULL, "a cpuidle_haltpoll.force=Y", TOKEN_EQUAL,
          NULL },
        { "x=a\nsource /missing.cfg\n" M "linux /k c $x\n}\n", NULL, NULL, "c a?", TOKEN_ABSENT, "c" T " $x\n" },
        { "x=a\nload_env -f /missing x\n" M "linux /k c $x\n}\n", NULL, NULL, "c a?", TOKEN_ABSENT, "c" T " $x\n" },
        { "x=a\n" M "eval y\nlinux /k c $x\n}\n", NULL, NULL, "c a?", TOKEN_ABSENT, "c" T " $x\n" },
        { "x=a\n" M "eval y\n}\n" M "linux /k c $x\n}\n", NULL, NULL, "c a", TOKEN_ABSENT, "c $x" T "\n" },
        { "x=a\neval z\ny=\"b$x\"\n" M "linux /k c $y\n}\n", NULL, NULL, "c ba?", TOKEN_ABSENT, "c" T " $y\n" },
        { "x=a\neval z\nif [ \"b$x\" = ba ]; then\ny=b\nfi\n" M "linux /k $y\n}\n", NULL, NULL, "b?", TOKEN_ABSENT, NULL },
        /* a submenu gets what is exported */
        { "x=a\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "", TOKEN_ABSENT, NULL },
        { "x=a\nexport x\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "export x\nx=a\nsubmenu S {\nsubmenu R {\n" M "linux /k $x\n}\n}\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "export x\nsubmenu S {\nx=a\nsubmenu R {\n" M "linux /k $x\n}\n}\n}\n", NULL, NULL, "a", TOKEN_ABSENT, NULL },
        { "submenu S {\nx=a\nsubmenu R {\n" M "linux /k $x\n}\n}\n}\n", NULL, NULL, "", TOKEN_ABSENT, NULL },
        { "x=a\nexport x\nunset x\nx=b\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "", TOKEN_ABSENT, NULL },
        { "x=a\nif y; then\nexport x\nfi\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a?", TOKEN_ABSENT, NULL },
        { "x=a\nexport $y\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a?", TOKEN_ABSENT, NULL },
        { "x=a\neval y\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a?", TOKEN_ABSENT, NULL },
        { "function f {\nx=a\n}\nsubmenu S {\n" M "f\nlinux /k $x\n}\n}\n", NULL, NULL, "a?", TOKEN_ABSENT, NULL },
        { "x=a\nfunction f {\nx=a\n}\nsubmenu S {\n" M "linux /k $x\n}\n}\n", NULL, NULL, "a?", TOKEN_ABSENT, NULL },
        { "x=a\nfunction f {\nx=a\n}\nsubmenu S {\n" M "if y; then\nx=a\nfi\nlinux /k $x\n}\n}\n", NULL, NULL, "a?",
          TOKEN_ABSENT, NULL },
        { "submenu S {\n" M "linux /k $prefix\n}\n}\n", NULL, NULL, "/boot/grub2", TOKEN_ABSENT, NULL },
        /* options of load_env */
        { "load_env --file=$prefix/../other.cfg\n" M "linux /k $x\n}\n", HEADER "x=a\n", HEADER "x=b\n", "b",
          TOKEN_ABSENT, NULL },
        { "x=a\nload_env --file=/other.cfg\n" M "linux /k $x\n}\n", HEADER "x=c\n", HEADER "x=b\n", "b", TOKEN_ABSENT,
          NULL },
        { "x=a\nload_env --unknown\n" M "linux /k c $x\n}\n", HEADER "x=b\n", NULL, "c a?", TOKEN_ABSENT, "c" T " $x\n" },
        { "x=a\nload_env $names\n" M "linux /k c $x\n}\n", HEADER "x=b\n", NULL, "c a?", TOKEN_ABSENT, "c" T " $x\n" },
        /* a word before the kernel that becomes nothing */
        { M "linux $none /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "linux $none /k a" T "\n" },
        { M "linux $none /k\n}\n", NULL, NULL, "", TOKEN_ABSENT, "linux $none /k" T "\n" },
        { M "linux $none -- a\n}\n", NULL, NULL, "", TOKEN_ABSENT, "linux $none" T " -- a\n" },
        { M "linux $none root=a\n}\n", NULL, NULL, "root=a", TOKEN_ABSENT, "linux $none root=a" T "\n" },
        /* the command is a variable */
        { "set linux=linux\nif y; then\nset linux=linuxefi\nfi\n" M "$linux /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT,
          "a" T "\n" },
        { "if y; then\nset suf=16\nfi\n" M "linux$suf /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T "\n" },
        { M "linux${suf} /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T "\n" },
        { M "$linux /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T "\n" },
        { "l=linux\n" M "$l /k a\n}\n", NULL, NULL, "a", TOKEN_ABSENT, "a" T "\n" },
        { "k='/k a'\n" M "linux $k b\n}\n", NULL, NULL, "a b", TOKEN_ABSENT, "$k b" T "\n" },
};

static void write_files(const Tree *t, size_t i) {
        tree_file(t, CFG, cases[i].cfg);
        if (cases[i].env)
                tree_file(t, ENV, cases[i].env);
        if (cases[i].other)
                tree_file(t, OTHER, cases[i].other);
}

static void check_case(const Tree *t, size_t i) {
        const TokenEdit add = { .spec = &force, .add = true };
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL;
        _cleanup_free_ char *cmdline = NULL;
        const BootEntry *e, *longest;
        const BootStore *s;
        size_t size;

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        s = boot_stores_by_path(stores, CFG);
        assert_non_null(s);

        e = s->entries + s->n_entries - 1;
        cmdline = describe(e);
        assert_string_equal(cmdline, cases[i].cmdline);
        assert_int_equal(cmdline_state(&e->cmdline, &force, NULL), cases[i].state);

        assert_int_equal(s->driver->render(s, &add, 1, &added, &longest, &size), 0);
        if (cases[i].after)
                assert_non_null(strstr(added.data, cases[i].after));
        else if (cases[i].state != TOKEN_ABSENT)
                assert_string_equal(added.data, cases[i].cfg);

        /* What was written is read back as GRUB expands it. */
        boot_stores_free(stores);
        stores = NULL;
        tree_file(t, CFG, added.data);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        s = boot_stores_by_path(stores, CFG);
        e = s->entries + s->n_entries - 1;
        if (cases[i].state != TOKEN_OPPOSITE)
                assert_int_equal(cmdline_state(&e->cmdline, &force, NULL), TOKEN_EQUAL);
}

static void test_cases(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                void *tree;

                assert_int_equal(tree_setup(&tree), 0);
                write_files(tree, i);
                check_case(tree, i);
                assert_int_equal(tree_teardown(&tree), 0);
        }
}

/* Values that double, words of many values, and menus in menus: what is hostile costs no more than what is large. */
static void test_hostile(void **state) {
        static const size_t n_menus = 900;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const Tree *t = *state;

        assert_int_equal(buffer_puts(&b, "x=aaaaaaaaaaaaaaaa\n"), 0);
        for (size_t i = 0; i < 64; i++)
                assert_int_equal(buffer_puts(&b, "x=$x$x\nif y; then x=$x; z=\"$x\"; fi\n"), 0);
        for (size_t i = 0; i < n_menus; i++)
                assert_int_equal(buffer_printf(&b, "submenu %zu {\nset v%zu=$x\nexport v%zu\n", i, i, i), 0);
        assert_int_equal(buffer_puts(&b, "menuentry A {\n"), 0);
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(buffer_puts(&b, "y=$v0$v1$v2$v3\nlinux /k $v0 $v1 $v2 $nothing $x $y $z\n"), 0);
        assert_int_equal(buffer_puts(&b, "}\n"), 0);
        for (size_t i = 0; i < n_menus; i++)
                assert_int_equal(buffer_puts(&b, "}\n"), 0);

        tree_file(t, CFG, b.data);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(boot_stores_by_path(stores, CFG)->n_entries, 1000);
}

/* One word of many long values costs no more than its bytes, and neither do the files that conditions name. */
static void test_hostile_word(void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        const Tree *t = *state;
        clock_t begin = clock();

        for (size_t i = 0; i < 64; i++) {
                assert_int_equal(buffer_printf(&b, "v%zu='", i), 0);
                for (size_t j = 0; j < 1000; j++)
                        assert_int_equal(buffer_printf(&b, "%zu ", j), 0);
                assert_int_equal(buffer_puts(&b, "'\n"), 0);
        }
        for (size_t i = 0; i < 8; i++)
                assert_int_equal(buffer_printf(&b, "if y; then w=\"$v0 %zu\"; fi\n", i), 0);
        for (size_t i = 0; i < 10000; i++)
                assert_int_equal(buffer_printf(&b, "if [ -f /boot/%zu ]; then z=a; fi\n", i), 0);
        assert_int_equal(buffer_puts(&b, M), 0);
        for (size_t n = 0; n < 8; n++) {
                assert_int_equal(buffer_puts(&b, "linux /k $w "), 0);
                for (size_t i = 0; i < 64; i++)
                        assert_int_equal(buffer_printf(&b, "$v%zu", i), 0);
                assert_int_equal(buffer_puts(&b, " " T "\n"), 0);
        }
        assert_int_equal(buffer_puts(&b, "}\n"), 0);

        tree_file(t, CFG, b.data);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(boot_stores_by_path(stores, CFG)->n_entries, 8);
        assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test_setup_teardown(test_hostile, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_hostile_word, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("grub-scope", tests, NULL, NULL);
}
