/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Says what the kernel gets of each entry of a machine's boot files: command-lines ROOT prints one line for each entry,
 * the tokens as gtuned reads them, "?" before one that the kernel may not get.
 */

#include "grub/bootstore.h"

static void print_entry(const BootEntry *e) {
        for (size_t i = 0; i < e->cmdline.n_tokens; i++) {
                const Token *t = e->cmdline.tokens + i;

                printf("%s%s%s%s%s", i > 0 ? " " : "", t->uncertain ? "?" : "", t->name, t->value ? "=" : "",
                       strempty(t->value));
        }
        printf("\n");
}

int main(int argc, char *argv[]) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_(root_freep) Root *root = NULL;

        if (argc != 2) {
                fprintf(stderr, "usage: %s ROOT\n", argv[0]);
                return 2;
        }
        if (root_new(&root, argv[1]) < 0 || boot_stores_find(root, NULL, &stores) < 0)
                return 1;

        for (size_t i = 0; i < stores->n_stores; i++)
                for (size_t k = 0; k < stores->stores[i]->n_entries; k++)
                        print_entry(stores->stores[i]->entries + k);

        return 0;
}
