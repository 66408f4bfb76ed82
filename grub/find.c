/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of all kinds of boot stores, and the search for the stores below a root. A new kind is one line here.
 *
 * Tested by test-grub-cfg.c (discovery), and by all golden machines.
 */

#include <assert.h>

#include "grub/esp.h"
#include "grub/grub-cfg.h"
#include "grub/stores.h"

/* In this order they are searched for: a later kind may ask which stores of an earlier kind were found. */
static const BootStoreDriver *const drivers[] = {
        &boot_store_grub_cfg,
        &boot_store_bls,
        &boot_store_grubenv,
        &boot_store_default_grub,
        &boot_store_kernel_cmdline,
};

int boot_stores_find(const Root *root, const Cmdline *running, BootStores **ret) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        int r;

        assert(root);
        assert(ret);

        stores = calloc(1, sizeof(BootStores));
        if (!stores)
                return -ENOMEM;

        r = esp_find(root, stores);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++) {
                r = drivers[i]->find(root, stores);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < stores->n_stores; i++)
                grub_cfg_forget_variables(stores->stores[i]);

        r = boot_stores_refuse_layouts(root, running, stores);
        if (r < 0)
                return r;

        if (!boot_stores_boot_system(stores, NULL) && stores->n_problems == 0) {
                stores->none = true;
                r = boot_stores_problem(stores, "/boot", 0, "boot-store-none", /* fatal= */ false,
                                        "No boot loader configuration was found that boots this system");
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(stores);
        return 0;
}
