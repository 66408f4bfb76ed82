/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-image-arch.c. */

#include <byteswap.h>
#include <elf.h>
#include <sys/stat.h>

#include "core/image-arch.h"
#include "core/kernel-files.h"

#define IMAGE_HEADER_SIZE 4096U
#define IMAGE_PROGRAMS_MAX 64U /* of each folder */

/* What a kernel of one architecture runs, by the numbers of ELF and of PE. */
static const struct {
        const char *name;
        uint16_t elf, elf_older, pe;
} image_archs[] = {
        {"x86_64", EM_X86_64, EM_386, 0x8664},
        {"aarch64", EM_AARCH64, EM_ARM, 0xAA64},
        {"riscv64", EM_RISCV, EM_NONE, 0x5064},
        {"loongarch64", 258, EM_NONE, 0x6264},
        {"s390x", EM_S390, EM_NONE, 0},
        {"ppc64le", EM_PPC64, EM_PPC, 0},
};

typedef struct ImageArch {
        const char *name; /* NULL: nothing was found */
        bool older;       /* a program that a kernel of this architecture runs, too */
        char *path;
} ImageArch;

static void image_arch_done(ImageArch *a) {
        free(a->path);
}

static uint16_t image_le16(const char *p) {
        return (uint16_t) ((uint8_t) p[0] | (uint8_t) p[1] << 8);
}

/* The beginning of a file. Return: how many bytes were read, 0 if it is no file or cannot be read. */
static size_t image_read_header(const Root *root, const char *path, char header[static IMAGE_HEADER_SIZE]) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        ssize_t n;

        if (root_open(root, path, &fd) != ROOT_OK || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;

        n = pread(fd, header, IMAGE_HEADER_SIZE, 0);
        return n > 0 ? (size_t) n : 0;
}

/* ELF: e_machine is at 18, in the byte order that e_ident names. */
static bool image_arch_of_elf(const char *header, size_t size, ImageArch *ret) {
        uint16_t machine;

        if (size < sizeof(Elf32_Ehdr) || memcmp(header, ELFMAG, SELFMAG) != 0)
                return false;

        machine = image_le16(header + 18);
        if (header[EI_DATA] == ELFDATA2MSB)
                machine = bswap_16(machine);
        for (size_t i = 0; i < ELEMENTSOF(image_archs); i++)
                if (machine == image_archs[i].elf || (machine != EM_NONE && machine == image_archs[i].elf_older)) {
                        ret->name = image_archs[i].name;
                        ret->older = machine != image_archs[i].elf;
                        return true;
                }

        return false;
}

/* PE, which a kernel with an EFI stub is: the offset of the header is at 60, and its machine at 4 of it. */
static bool image_arch_of_pe(const char *header, size_t size, ImageArch *ret) {
        size_t pe;

        if (size < 64 || memcmp(header, "MZ", 2) != 0)
                return false;

        pe = (size_t) image_le16(header + 60) | (size_t) image_le16(header + 62) << 16;
        if (pe > size - 6 || memcmp(header + pe, "PE\0", 4) != 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(image_archs); i++)
                if (image_archs[i].pe != 0 && image_le16(header + pe + 4) == image_archs[i].pe) {
                        ret->name = image_archs[i].name;
                        return true;
                }

        return false;
}

/*
 * The boot protocols: Documentation/arch/x86/boot.rst (HdrS at 0x202; bit 0 of xloadflags: a 64-bit kernel) and
 * Documentation/arch/arm64/booting.rst (ARM\x64 at 56).
 */
static bool image_arch_of_boot_header(const char *header, size_t size, ImageArch *ret) {
        if (size >= 0x238 && memcmp(header + 0x202, "HdrS", 4) == 0 && (header[0x236] & 1) != 0)
                ret->name = "x86_64";
        else if (size >= 60 && memcmp(header + 56, "ARM\x64", 4) == 0)
                ret->name = "aarch64";

        return ret->name != NULL;
}

static int image_arch_of_file(const Root *root, const char *path, ImageArch *ret) {
        char header[IMAGE_HEADER_SIZE];
        size_t n = image_read_header(root, path, header);

        if (!image_arch_of_elf(header, n, ret) && !image_arch_of_pe(header, n, ret) &&
            !image_arch_of_boot_header(header, n, ret))
                return 0;

        ret->path = strdup(path);
        return ret->path ? 0 : -ENOMEM;
}

/* The architecture at the end of an RPM kernel's release: "5.10.0-60.18.0.50.oe2203.aarch64". */
static int image_arch_of_release(const char *path, const char *release, ImageArch *ret) {
        const char *dot = strrchr(release, '.');

        for (size_t i = 0; dot && i < ELEMENTSOF(image_archs); i++)
                if (streq(dot + 1, image_archs[i].name))
                        ret->name = image_archs[i].name;
        if (!ret->name)
                return 0;

        ret->path = strdup(path);
        return ret->path ? 0 : -ENOMEM;
}

static int image_arch_of_kernel(const Root *root, const char *release, ImageArch *ret) {
        _cleanup_(strv_freep) char **paths = NULL;
        const char *first = NULL;
        int r;

        r = kernel_images(release, &paths);
        for (char **path = paths; r >= 0 && *path && !ret->name; path++) {
                if (!first && root_exists(root, *path))
                        first = *path;
                r = image_arch_of_file(root, *path, ret);
        }
        if (r < 0 || ret->name)
                return r;

        /* A kernel that is packed as a whole (arm64's Image.gz) tells it by its name only. */
        return image_arch_of_release(first ? first : paths[0], release, ret);
}

/* The first program that tells it: of those that every system has, else any. */
static int image_arch_of_programs(const Root *root, ImageArch *ret) {
        static const char *const known[] = {"/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/usr/bin/bash",
                                            "/bin/sh", "/sbin/init"};
        static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};

        for (size_t i = 0; !ret->name && i < ELEMENTSOF(known); i++)
                if (image_arch_of_file(root, known[i], ret) < 0)
                        return -ENOMEM;

        for (size_t i = 0; !ret->name && i < ELEMENTSOF(folders); i++) {
                _cleanup_(strv_freep) char **names = NULL;
                int n = root_list(root, folders[i], &names);

                for (int k = 0; !ret->name && k < n && k < (int) IMAGE_PROGRAMS_MAX; k++) {
                        _cleanup_free_ char *path = xasprintf("%s/%s", folders[i], names[k]);

                        if (!path || image_arch_of_file(root, path, ret) < 0)
                                return -ENOMEM;
                }
        }

        return 0;
}

int image_arch(const Root *root, const char *release, char **ret, char **ret_path, char **ret_problem) {
        _cleanup_(image_arch_done) ImageArch kernel = {}, programs = {};
        ImageArch *found;

        *ret = *ret_path = *ret_problem = NULL;
        if (release && image_arch_of_kernel(root, release, &kernel) < 0)
                return -ENOMEM;
        if (image_arch_of_programs(root, &programs) < 0)
                return -ENOMEM;

        if (kernel.name && programs.name && !streq(kernel.name, programs.name)) {
                *ret_problem = xasprintf("%s is for %s, and %s for %s", kernel.path, kernel.name, programs.path,
                                         programs.name);
                return *ret_problem ? 0 : -ENOMEM;
        }

        /* A program of the older architecture alone tells nothing: its kernel may be of either. */
        found = kernel.name ? &kernel : programs.older ? NULL : &programs;
        if (!found || !found->name)
                return 0;

        *ret = strdup(found->name);
        *ret_path = TAKE_PTR(found->path);
        return *ret ? 0 : -ENOMEM;
}
