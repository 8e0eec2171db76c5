/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_modules -- preloaded into httpd beside a sanitizer's runtime.
 *
 * A process that ends unloads its modules before leaks are looked for, and
 * the stacks of what leaked have no names any more. So modules stay, as they
 * do in a httpd that has them linked in.
 */
int dlclose(void *handle);

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}
