/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/secret.h"

typedef struct Case {
        const char *text, *redacted; /* NULL: it stays as it is */
} Case;

static const Case lines[] = {
        {"", NULL},
        {"root=/dev/vda1 ro quiet haltpoll.enable=Y cpuidle_haltpoll.force=Y rd.lvm.lv=vg/root", NULL},
        {"iommu.passthrough=1 secretmem_enable=1 vconsole.keymap=de accept_credential=yes rd.luks.uuid=1", NULL},
        {"rd.iscsi.password=abc rd.iscsi.in.password=a,b?cdefgh1 quiet",
         "rd.iscsi.password=RED rd.iscsi.in.password=REDACTEDRED quiet"},
        {"RD.ISCSI.PASSWORD=abc Password=x", "RD.ISCSI.PASSWORD=RED Password=R"},
        {"rd.iscsi.password= quiet", NULL},
        {"iscsi_password=\"a b\" quiet", "iscsi_password=\"RED\" quiet"},
        {"iscsi_password=a\"b c\"d quiet", "iscsi_password=R\"EDA\"C quiet"},
        {"\"iscsi_password=a b\" quiet", "\"iscsi_password=RED\" quiet"},
        {"passwd/root-password-crypted=$6$x passwd/user-password=abcd",
         "passwd/root-password-crypted=REDA passwd/user-password=REDA"},
        {"cifsuser=a cifspass=abc rootpw=ab ssh.pass=x", "cifsuser=a cifspass=RED rootpw=RE ssh.pass=R"},
        {"systemd.set_credential=db:abc systemd.set-credential-binary=db:YWJj ro",
         "systemd.set_credential=REDACT systemd.set-credential-binary=REDACTE ro"},
        {"netroot=iscsi:me:abc@192.0.2.1::3260::iqn.x ro", "netroot=iscsi:REDACT@192.0.2.1::3260::iqn.x ro"},
        {"netroot=iscsi:a:b:c:d@e@192.0.2.1::3260::iqn.x ro", "netroot=iscsi:REDACTEDR@192.0.2.1::3260::iqn.x ro"},
        {"netroot=iscsi:192.0.2.1::3260::iqn.x ro", NULL},
        {"inst.ks=https://me:abc@example.org/ks.cfg inst.repo=http://example.org/@x",
         "inst.ks=https://REDACT@example.org/ks.cfg inst.repo=http://example.org/@x"},
        {"talos.config=https://example.org/?token=abc k3os.token=abcd netcfg/wireless_wpa=ab",
         "talos.config=https://example.org/?token=RED k3os.token=REDA netcfg/wireless_wpa=RE"},
        {"rd.luks.key=/k:UUID=1 luks.key=abc rd-luks.key=1 cryptkey=ab",
         "rd.luks.key=REDACTEDR luks.key=RED rd-luks.key=1 cryptkey=RE"},
        {"ro cc: password: x end_cc quiet xcc: y", "ro cc: REDACTEDR E end_cc quiet xcc: y"},
        {"a=b\\ c password=a\\ b d", "a=b\\ c password=R\\ED d"},
        {"a password b", NULL},
        {"netroot=iscsi:me:a/b@192.0.2.1::3260::iqn.x/y ro", "netroot=iscsi:REDACT@192.0.2.1::3260::iqn.x/y ro"},
        {"arm-smmu.disable_bypass=1 iommu.bypass=0 BYPASS=1 a_pass=1",
         "arm-smmu.disable_bypass=1 iommu.bypass=0 BYPASS=1 a_pass=R"},
        {"a PASSWORD=$(cat <<< \"A B\")", "a PASSWORD=REDACTEDRE\"DAC\"T"},
        {"a=1 password=(ab nopvspin", "a=1 password=RED nopvspin"},
};

static const Case cmdlines[] = {
        {"ro password abc \"cc: x\" nopvspin a=b\n", "ro password RED \"cc: x\" nopvspin a=b\n"},
        {"password \"a b\" nopvspin", "password \"RED\" nopvspin"},
        {"\"password\" YWI= nopvspin", "\"password\" REDA nopvspin"},
        {"\"password abc\" nopvspin", "\"password RED\" nopvspin"},
        {"password cpuidle_haltpoll.force=Y password=(ab nopvspin",
         "password cpuidle_haltpoll.force=Y password=RED nopvspin"},
        {"password=(ab nopvspin password", "password=RED nopvspin password"},
        {"systemd.mask=a-password.service nopvspin guest-set-user-password ro", NULL},
};

static const Case files[] = {
        {"GRUB2_PASSWORD=grub.pbkdf2.1\npassword_pbkdf2 root grub.1\nset timeout=5\n",
         "GRUB2_PASSWORD=REDACTEDREDAC\npassword_pbkdf2 REDA CTEDRE\nset timeout=5\n"},
        {"\tpassword root abc\n# no password is abc\n", "\tpassword REDA CTE\n# RE DACTEDRE DA CTE\n"},
        {"if true; then password root abc; fi\n", "if true; then password REDA CTE; DR\n"},
        {"set superusers=\"root\"\n", NULL},
        {"menuentry 'Reset password' --class os {\n\tlinux /vmlinuz a=b\n}\n", NULL},
        {"GRUB_CMDLINE_LINUX=\"rd.iscsi.password=\\\"a b\\\" quiet\"\nX=1\n",
         "GRUB_CMDLINE_LINUX=\"rd.iscsi.password=\\\"RED\\\" quiet\"\nX=1\n"},
        {"GRUB_CMDLINE_LINUX='iscsi_password=abc quiet'\n", "GRUB_CMDLINE_LINUX='iscsi_password=RED quiet'\n"},
        {"GRUB_CMDLINE_LINUX=\"iscsi_password=ab\\\nc quiet\"\n",
         "GRUB_CMDLINE_LINUX=\"iscsi_password=RE\\\nD quiet\"\n"},
        {"X+=\" rd.iscsi.password=abc\"\n", "X+=\" rd.iscsi.password=RED\"\n"},
        {"password+=abc x\n", "password+=RED x\n"},
        {"block = guest-set-user-password,guest-exec\n--block-rpcs=guest-set-user-password\n", NULL},
        {"MENU MASTER PASSWD $1$x\nroot:x:/etc/passwd\n", "MENU MASTER PASSWD REDA\nroot:x:/etc/passwd\n"},
        {"[Service]\nSetCredential=db:abc\nEnvironment=\"DB_PASSWORD=a b\" X=1\n",
         "[Service]\nSetCredential=REDACT\nEnvironment=\"DB_PASSWORD=RED\" X=1\n"},
        {"{\"a\": \"GRUB command: password_pbkdf2 root abc\", \"pcr\": 8, \"b\": \"password abc\"}",
         "{\"a\": \"GRUB command: password_pbkdf2 REDA CTE\", \"pcr\": 8, \"b\": \"password RED\"}"},
        {"MYPASSWORD=\"a b<\nc d\" x\nX=\"1\"\n", "MYPASSWORD=\"REDA\nCTE\" x\nX=\"1\"\n"},
        {"export \"MYPASSWORD=a b\n\ncd\" x\nX=\"1\"\n", "export \"MYPASSWORD=RED\n\nAC\" x\nX=\"1\"\n"},
        {"PASSWORD='ab\nX=1\n", "PASSWORD='RE\nX=1\n"},
        {"# PASSWORD='ab\nX='1'\n", "# PASSWORD='RE\nX='1'\n"},
        {"{\"password\": \"ab\", \"a\": 1}", "{\"password\": \"RE\", \"a\": 1}"},
        {"{\"db-secret\" :\"a\\\"b, c\", \"token\": 12, \"a\": 1}",
         "{\"db-secret\" :\"R\\\"EDAC\", \"token\": RE, \"a\": 1}"},
        {"{\"psk\": [\"ab\", \"c\"]}", "{\"psk\": R\"ED\"AC\"T\"ED"},
        {"{\"psk\":", NULL},
        {"\"password\" root abc\nx\n", "\"password\" REDA CTE\nx\n"},
        {"'password_pbkdf2' root abc\nx\n", "'password_pbkdf2' REDA CTE\nx\n"},
        {"\"password\" = abc\n", "\"password\" R EDA\n"},
        {"\\password root abc\nx\n", "\\password REDA CTE\nx\n"},
        {"PASSWORDS=(A B) \nx\n", "PASSWORDS=REDACT\nx\n"},
        {"export PASSWORD=$(cat <<< \"A B\")\nx\n", "export PASSWORD=REDACTEDRE\"DAC\"T\nx\n"},
        {"PASSWORD=\"$(cat <<< \"A B\")\"\nx\n", "PASSWORD=\"REDACTEDRE\"DAC\"T\"\nx\n"},
        {"PASSWORD=`echo A B`\nx\n", "PASSWORD=REDACTEDRE\nx\n"},
        {"options root=/x rd.iscsi.password=(a nopvspin\n", "options root=/x rd.iscsi.password=RE nopvspin\n"},
        {"export 'PASSWORD'=ab x\nexport \"PASSWORD\"=\"a b\" x\n",
         "export 'PASSWORD'=RE x\nexport \"PASSWORD\"=\"RED\" x\n"},
        {"# set a password here \\\nGRUB_CMDLINE_LINUX=\"a\"\n",
         "# RED A CTEDREDA CTED \\\nGRUB_CMDLINE_LINUX=\"a\"\n"},
        {"#passwordpassword=x\n", "#passwordpassword=R\n"},
        {"kernelopts=root=x ro rd.iscsi.password=abc", "kernelopts=root=x ro rd.iscsi.password=RED"},
};

/* To redact twice is the same as once, and no byte before or after the text is changed. */
static void check(const Case *c, void (*redact)(char *, size_t)) {
        _cleanup_free_ char *is = xasprintf("password=%s@", c->text);
        char *text = is + strlen("password=");
        size_t n = strlen(c->text);

        for (int i = 0; i < 2; i++) {
                redact(text, n);
                text[n] = 0;
                assert_string_equal(text, c->redacted ? c->redacted : c->text);
                text[n] = '@';
        }
        assert_true(startswith(is, "password="));
}

static void test_lines(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                check(lines + i, secret_redact);
}

static void test_files(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                check(files + i, secret_redact_file);
        for (size_t i = 0; i < ELEMENTSOF(cmdlines); i++)
                check(cmdlines + i, secret_redact_cmdline);

        secret_redact_file(NULL, 0);
}

/* Text of an event log, in bytes and in UTF-16, between numbers that must stay. */
static void test_binary(_unused_ void **state) {
        char is[] = "\x20\0\0\0grub_cmd: password_pbkdf2 me abc\x09\0\0\0t\0o\0k\0e\0n\0=\0a\0b\0 \0c\0\x08\0\0\0x";
        static const char should[] =
                "\x20\0\0\0grub_cmd: password_pbkdf2 RE DAC\x09\0\0\0t\0o\0k\0e\0n\0=\0R\0E\0 \0c\0\x08\0\0\0x";

        for (int i = 0; i < 2; i++) {
                secret_redact_file(is, sizeof(is));
                assert_memory_equal(is, should, sizeof(is));
        }
}

/* A hostile file takes linear time. */
static void test_time(_unused_ void **state) {
        static const char *const parts[] = {
                "iscsi:",         "cc:",        "://",           "guest-set-user-password,",
                "'password' ",    "a=",         "\\\n",          "password=",
                "#password\\\n",  "password",   "password=\"\n", "password='\n\"",
                "a_password=(x ", "\"psk\": ",  "\"password\"=", "iscsi:@",
                "\"password=\n",  "\\password="};
        const size_t size = 1U << 20;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                _cleanup_free_ char *text = malloc(size + 1);
                uint64_t start = monotonic_usec();

                for (size_t k = 0; k < size; k++)
                        text[k] = parts[i][k % strlen(parts[i])];
                secret_redact_cmdline(text, size);
                for (size_t k = 0; k < size; k++)
                        text[k] = parts[i][k % strlen(parts[i])];
                text[0] = '#';
                text[size - 2] = '=';
                secret_redact_file(text, size);
                for (size_t k = 0; k < size; k++)
                        text[k] = k < size / 2 ? 'a' : parts[i][k % strlen(parts[i])];
                secret_redact_file(text, size);
                assert_true(monotonic_usec() - start < 20 * UINT64_C(1000000));
        }
}

/* No row is without a text for people, and each is found by its own example. */
static void test_table(_unused_ void **state) {
        for (size_t i = 0; i < n_secrets; i++) {
                _cleanup_free_ char *text = secret_format(secrets + i);

                assert_non_null(text);
                for (char *p = text; *p; p++)
                        *p = *p == '*' ? 'x' : *p;
                assert_true(strlen(secrets[i].meaning) > 0);
                secret_redact_file(text, strlen(text));
                assert_non_null(strstr(text, "RED"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines), cmocka_unit_test(test_files), cmocka_unit_test(test_binary),
                cmocka_unit_test(test_time),  cmocka_unit_test(test_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
