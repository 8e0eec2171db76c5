/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_replay -- main() for a fuzz target without libFuzzer: feed it every
 * file of the corpus folders named on the command line, and every prefix of
 * the short ones, and say so in TAP. A fault ends the program, so the plan is
 * missing and the run has failed.
 */
#include "tap.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

/* Inputs longer than this are fed whole and not prefix by prefix. */
#define PREFIXES_UP_TO 512
#define INPUT_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* Each input lies in an allocation of exactly its size, so that a sanitizer
 * sees the first byte read past its end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(exact, data, size);
    }
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int feed_file(const char *path, uint8_t *buffer)
{
    FILE *file = fopen(path, "rb");
    size_t size, part;

    if (file == NULL) {
        return 0;
    }
    size = fread(buffer, 1, INPUT_MAX, file);
    fclose(file);
    feed(buffer, size);
    if (size <= PREFIXES_UP_TO) {
        for (part = 0; part < size; part++) {
            feed(buffer, part);
        }
    }
    return 1;
}

static int feed_folder(const char *folder)
{
    uint8_t *buffer = malloc(INPUT_MAX);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[4096];
    int count = 0;

    while (buffer != NULL && dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            count += feed_file(path, buffer);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    free(buffer);
    return count;
}

int main(int argc, char **argv)
{
    int i, count;

    if (LLVMFuzzerInitialize) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    for (i = 1; i < argc; i++) {
        count = feed_folder(argv[i]);
        ok(count > 0, "%s: %d inputs and their prefixes", argv[i], count);
    }
    return done_testing();
}
