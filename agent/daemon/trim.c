/* SPDX-License-Identifier: Apache-2.0 */

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include "agent/daemon/trim.h"
#include "core/util.h"

/*
 * Segments of code and constants are never written, so dropping their pages loses nothing (madvise(2), MADV_DONTNEED on
 * a private file mapping). An object whose name is no path is the kernel's vDSO; the program has an empty name.
 */
static int trim_constant_pages(struct dl_phdr_info *object, _unused_ size_t size, _unused_ void *userdata) {
        const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
        bool program = isempty(object->dlpi_name);

        if (!program && object->dlpi_name[0] != '/')
                return 0;

        for (size_t i = 0; i < object->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = object->dlpi_phdr + i;
                uintptr_t start = object->dlpi_addr + p->p_vaddr, rest = start & (page - 1);

                if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
                        (void) madvise((void *) (start - rest), p->p_memsz + rest, MADV_DONTNEED);
        }

        return 0;
}

void trim_memory(void) {
        (void) malloc_trim(0);
        (void) dl_iterate_phdr(trim_constant_pages, NULL);
}
