/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by test-bls.c and test-default-grub.c. */

#include <strings.h>

#include "grub/os-family.h"

#define OS_RELEASE_MAX (64U * 1024U)

static const OsFamily *os_family_find(const OsFamily *families, size_t n, const char *word, size_t size) {
        for (size_t i = 0; i < n; i++)
                if (strlen(families[i].name) == size && strncasecmp(word, families[i].name, size) == 0)
                        return families + i;

        return NULL;
}

int os_family_ask(const Root *root, const OsFamily *families, size_t n, int otherwise) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        char *state = NULL;
        int r;

        r = root_read(root, "/etc/os-release", OS_RELEASE_MAX, &content);
        if (r < 0 && r != -ENOMEM)
                r = root_read(root, "/usr/lib/os-release", OS_RELEASE_MAX, &content);
        if (r < 0 || content.size == 0)
                return r == -ENOMEM ? r : otherwise;

        for (char *line = strtok_r(content.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *p = startswith(line, "ID=") ?: startswith(line, "ID_LIKE=");

                for (size_t size; p && *p; p += size + (p[size] != 0)) {
                        const OsFamily *family;

                        size = strcspn(p, " \t\"'\r");
                        family = os_family_find(families, n, p, size);
                        if (family)
                                return family->answer;
                }
        }

        return otherwise;
}
