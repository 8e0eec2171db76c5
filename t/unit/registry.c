/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_registry.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "registry_fixture.h"

static wsk_registry_t *reg;
static wsk_registered_t site, other;

static void open_empty(void)
{
    registry_empty();
    reg = registry_open();
    if (reg == NULL) {
        printf("Bail out! an empty registry does not open\n");
        exit(1);
    }
}

static void connecting(void)
{
    open_empty();
    is_int(registry_connect(reg, "ann", 1, 1, 9, &site), WSK_OK,
           "a site is connected");
    is_str(site.key, registry_make(1)->key, "with the key that was made");
    is_str(site.publish[0], registry_make(1)->publish, "and the secrets");
    is_str(site.jwt[0], registry_make(1)->jwt, "both");
    is_str(site.owner, "ann", "it is its user's");
    is_str(site.url, "https://site-1.example", "at its URL");
    is_int(registry_connect(reg, "ann", 1, 2, 9, &site), WSK_OK,
           "connected again");
    is_str(site.key, registry_make(1)->key, "it has the same key");
    is_str(site.publish[0], registry_make(2)->publish, "and new secrets");
    is_str(site.publish[1], "", "the old ones are dead");
    is_int(registry_connect(reg, "bob", 1, 3, 9, &other), WSK_OK,
           "another account may name the URL");
    is_str(other.key, registry_make(3)->key, "and gets a site of its own");
    wsk_registry_find(reg, site.key, &other);
    is_str(other.publish[0], registry_make(2)->publish,
           "the first one's secrets stay");
    is_int(registry_connect(reg, "", 1, 4, 9, &site), WSK_EINVAL,
           "nobody has no sites");
    is_int(registry_connect(reg, "ann", 4, 1, 9, &site), WSK_EDUP,
           "no two sites have one key");
    is_int(wsk_registry_find(reg, "none", &site), WSK_ENOTFOUND,
           "what is not there is not found");
    wsk_registry_close(reg);
}

static void leaving(void)
{
    const wsk_owner_t bob = { "bob", NULL }, ann = { "ann", NULL };
    char key[33];

    open_empty();
    registry_connect(reg, "ann", 1, 1, 2, &site);
    registry_connect(reg, "bob", 9, 9, 2, &other);
    memcpy(key, site.key, sizeof(key));
    is_int(wsk_registry_disconnect(reg, key, &bob, 5), WSK_ENOTFOUND,
           "another account cannot disconnect a site");
    is_int(wsk_registry_rotate(reg, "bob", key, &registry_make(5)->fresh, 5,
                               &site),
           WSK_ENOTFOUND, "nor rotate its secrets");
    is_int(wsk_registry_rotate(reg, "ann", key, &registry_make(6)->fresh, 5,
                               &site),
           WSK_OK, "its own can");
    is_str(site.publish[0], registry_make(6)->publish, "new ones");
    is_str(site.publish[1], registry_make(1)->publish, "beside the present");
    is_str(site.jwt[1], registry_make(1)->jwt, "of both kinds");
    is_int(wsk_registry_disconnect(reg, key, &ann, 6), WSK_OK,
           "a site is disconnected");
    is_int(wsk_registry_disconnect(reg, key, NULL, 6), WSK_ENOTFOUND,
           "which happens once");
    is_int(wsk_registry_find(reg, key, &site), WSK_OK, "it is known still");
    ok(site.archived && site.publish[0][0] == '\0' && site.jwt[1][0] == '\0',
       "archived, without secrets");
    is_int(registry_connect(reg, "ann", 2, 2, 2, &site), WSK_OK,
           "another takes its place");
    is_int(registry_connect(reg, "ann", 3, 3, 2, &site), WSK_OK,
           "and one more");
    is_int(registry_connect(reg, "ann", 1, 4, 2, &site), WSK_EFULL,
           "a third would be too many");
    is_int(wsk_registry_room(reg, &ann, "https://site-1.example", 2, &site),
           WSK_EFULL, "as is told before");
    is_str(site.url, "https://site-2.example", "with the oldest that is there");
    is_int(wsk_registry_room(reg, &ann, "https://site-2.example", 2, &site),
           WSK_OK, "one that is connected has room");
    is_int(registry_connect(reg, "ann", 2, 5, 2, &site), WSK_OK,
           "and is connected again");
    is_int(wsk_registry_disconnect(reg, site.key, NULL, 7), WSK_OK,
           "with one gone");
    is_int(registry_connect(reg, "ann", 1, 8, 2, &site), WSK_OK,
           "the first one comes back");
    is_str(site.key, key, "with its old key");
    is_str(site.publish[0], registry_make(8)->publish, "and new secrets");
    wsk_registry_close(reg);
}

static bool knows(void *baton, const wsk_registered_t *one)
{
    return strcmp(baton, one->publish[0]) == 0;
}

/* Without being its user. */
static void proofs(void)
{
    char secret[65], none[] = "", hash[65];
    wsk_leaver_t who = { knows, none, NULL };
    const wsk_owner_t ann = { "ann", NULL };

    open_empty();
    snprintf(hash, sizeof(hash), "%s", registry_make(7)->hash);
    wsk_registry_set_key(reg, "bob", hash, REGISTRY_NOON);
    registry_connect(reg, "ann", 1, 1, 9, &site);
    registry_connect(reg, "bob", 2, 2, 9, &other);
    snprintf(secret, sizeof(secret), "%s", site.publish[0]);
    is_int(wsk_registry_leave(reg, "none", &who, 5), WSK_ENOTFOUND,
           "a site that is not there");
    is_int(wsk_registry_leave(reg, site.key, &who, 5), WSK_EINVAL,
           "nobody leaves without a proof");
    who.key_hash = registry_make(8)->hash;
    is_int(wsk_registry_leave(reg, site.key, &who, 5), WSK_ECLASH,
           "an API key nobody has is told as such");
    who.key_hash = hash;
    is_int(wsk_registry_leave(reg, site.key, &who, 5), WSK_EINVAL,
           "that of another account is none");
    is_int(wsk_registry_leave(reg, other.key, &who, 5), WSK_OK,
           "that of its own is");
    who.baton = secret;
    is_int(wsk_registry_leave(reg, site.key, &who, 5), WSK_OK,
           "and so is the secret");
    is_int(wsk_registry_leave(reg, site.key, &who, 5), WSK_ENOTFOUND, "once");
    wsk_registry_find(reg, site.key, &site);
    ok(site.archived && site.times == 1, "it was disconnected once");
    registry_connect(reg, "ann", 1, 3, 9, &site);
    is_int(site.times, 1, "which it keeps");
    memset(&other, 'x', sizeof(other));
    is_int(wsk_registry_room(reg, &ann, "https://b.example", 0, &other),
           WSK_EFULL, "an account that may have none");
    is_str(other.url, "https://site-1.example", "is told what it has");
    is_str(other.publish[0], "", "without secrets");
    wsk_registry_disconnect(reg, site.key, NULL, 6);
    memset(&other, 'x', sizeof(other));
    is_int(wsk_registry_room(reg, &ann, "https://b.example", 0, &other),
           WSK_EFULL, "one that has none");
    is_str(other.url, "", "is told of none");
    wsk_registry_close(reg);
}

/* Many processes connect; two name the same URL each time. */
static void racing(void)
{
    const unsigned each = 40;
    pid_t pids[4];
    unsigned p, i, failed = 0;
    int status;

    open_empty();
    wsk_registry_close(reg);
    fflush(stdout);
    for (p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            reg = registry_open();
            for (i = 0; reg != NULL && i < each; i++) {
                failed += registry_connect(reg, "ann", i + 1000 * (p / 2),
                                           1 + i + p * 1000, 1000, &site)
                          != WSK_OK;
            }
            _exit(reg == NULL || failed > 0);
        }
    }
    for (p = 0, failed = 0; p < 4; p++) {
        waitpid(pids[p], &status, 0);
        failed += status != 0;
    }
    is_int(failed, 0, "four processes connect sites at once");
    reg = registry_open();
    is_int(registry_count(reg).n, 2 * each, "each URL has one site");
    is_int(registry_count(reg).broken, 0, "and each is whole");
    wsk_registry_close(reg);
}

/* What the child says on the pipe was told to somebody. */
static void two_changes(int told)
{
    reg = registry_open();
    if (reg == NULL || registry_connect(reg, "ann", 1, 2, 9, &site) != WSK_OK
        || write(told, "1", 1) != 1
        || registry_connect(reg, "ann", 2, 3, 9, &site) != WSK_OK
        || write(told, "2", 1) != 1) {
        _exit(1);
    }
    _exit(0);
}

/* A child makes two changes, and dies at its n-th call of the system.
 * @return whether it came to its end */
static bool dies_at(unsigned n, unsigned *ptold)
{
    char told[2];
    ssize_t len;
    int ends[2] = { -1, -1 }, status = 0;
    pid_t pid;

    fflush(stdout);
    pid = pipe(ends) == 0 ? fork() : -1;
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        two_changes(ends[1]);
    }
    close(ends[1]);
    waitpid(pid, &status, 0);
    while (n-- > 0 && WIFSTOPPED(status)) {
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
        waitpid(pid, &status, 0);
    }
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    len = read(ends[0], told, sizeof(told));
    *ptold = len > 0 ? (unsigned)len : 0;
    close(ends[0]);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const char *after_death(unsigned told)
{
    const char *wrong = NULL;
    bool renewed, second;

    reg = registry_open();
    if (reg == NULL) {
        return registry_why;
    }
    if (registry_count(reg).broken > 0
        || wsk_registry_find(reg, registry_make(1)->key, &site) != WSK_OK) {
        wrong = "a site is broken or gone";
    }
    renewed = strcmp(site.publish[0], registry_make(2)->publish) == 0;
    second = wsk_registry_find(reg, registry_make(3)->key, &other) == WSK_OK;
    if (second && !renewed) {
        wrong = "the second change is there and the first is not";
    }
    if ((unsigned)(renewed + second) < told) {
        wrong = "a change that was told is gone";
    }
    if (registry_connect(reg, "bob", 5, 5, 9, &site) != WSK_OK) {
        wrong = "nobody can write";
    }
    wsk_registry_close(reg);
    return wrong;
}

static void dying(void)
{
    const char *wrong = NULL;
    unsigned n, told = 0;
    bool ended = false;

    for (n = 0; n < 2000 && wrong == NULL && !ended; n++) {
        open_empty();
        registry_connect(reg, "ann", 1, 1, 9, &site);
        wsk_registry_close(reg);
        ended = dies_at(n, &told);
        wrong = after_death(told);
    }
    note("%u places to die", n);
    is_str(wrong, NULL, "killed at any call, the registry is whole");
    ok(ended && told == 2 && n > 50, "up to the end of both changes");
}

/* Whoever copies the sites elsewhere reads what changed since, and no more. */
static void changes(void)
{
    registry_made_t *made;
    registry_seen_t seen;
    int64_t since;
    unsigned n;

    open_empty();
    is_int(registry_changes(reg, 0).last, 0, "nothing has changed yet");
    for (n = 1; n <= 3; n++) {
        registry_connect(reg, "ann", n, n, 9, &site);
    }
    seen = registry_changes(reg, 0);
    is_str(seen.keys, "123", "sites are visited in the order they came");
    since = seen.last;
    is_int(registry_changes(reg, since).n, 0, "then none has changed");
    is_int(registry_changes(reg, since).last, since, "nor the number");
    wsk_registry_find(reg, site.key, &other);
    is_int(registry_changes(reg, since).last, since, "reading changes nothing");
    registry_connect(reg, "ann", 2, 9, 9, &site);
    wsk_registry_disconnect(reg, registry_make(1)->key, NULL, 5);
    is_str(registry_changes(reg, since).keys, "21",
           "who connected again and who left, in that order");
    since = registry_changes(reg, since).last;
    made = registry_make(8);
    wsk_registry_rotate(reg, "ann", "00000000000000000000000000000003",
                        &made->fresh, 6, &site);
    is_str(registry_changes(reg, since).keys, "3", "and who has new secrets");
    is_int(site.signature, 1, "a site signs by version 1");
    made->fresh.signature = 2;
    made = registry_make(7);
    made->fresh.signature = 2;
    wsk_registry_connect(reg, &(wsk_owner_t){ "ann", NULL },
                         "https://v2.example", "", &made->fresh, 9, 7, &site);
    is_int(site.signature, 2, "unless it was connected for version 2");
    wsk_registry_rotate(reg, "ann", site.key, &registry_make(6)->fresh, 8,
                        &site);
    is_int(site.signature, 2, "which new secrets do not change");
    wsk_registry_connect(reg, &(wsk_owner_t){ "ann", NULL },
                         "https://v2.example", "", &registry_make(5)->fresh, 9,
                         7, &site);
    is_int(site.signature, 1, "connecting it again does");
    wsk_registry_close(reg);
}

static wsk_status_e register_at(unsigned n, int64_t now_s)
{
    char url[64];

    snprintf(url, sizeof(url), "https://place-%u.example", n);
    return wsk_registry_connect(reg, &(wsk_owner_t){ "ann", NULL }, url, "",
                                &registry_make(n)->fresh, 2, now_s, &site);
}

/* However many URLs come and go, an account has a bounded number of keys. */
static void places(void)
{
    const unsigned most = 2 + WSK_REGISTRY_SPARE;
    unsigned n, wrong = 0;
    char first[33];

    open_empty();
    for (n = 1; n <= most; n++) {
        wrong += register_at(n, REGISTRY_NOON + n) != WSK_OK;
        wrong += strcmp(site.key, registry_make(n)->key) != 0;
        wrong += wsk_registry_disconnect(reg, site.key, NULL, REGISTRY_NOON + n)
                 != WSK_OK;
    }
    is_int(wrong, 0, "as many sites come and go as there are places");
    is_int(registry_count(reg).n, most, "and each has a key");
    register_at(1, REGISTRY_NOON + n);
    snprintf(first, sizeof(first), "%s", registry_make(1)->key);
    is_str(site.key, first, "one that comes again has its own");
    wsk_registry_disconnect(reg, site.key, NULL, REGISTRY_NOON + n);
    is_int(register_at(99, REGISTRY_NOON + n), WSK_OK, "one more");
    is_str(site.key, registry_make(2)->key, "has that of who left first");
    is_str(site.url, "https://place-99.example", "at its own URL");
    is_str(site.publish[0], registry_make(99)->publish, "with its own secrets");
    is_int(site.made_s, REGISTRY_NOON + n, "made now");
    is_int(registry_count(reg).n, most, "and no key is new");
    is_int(register_at(2, REGISTRY_NOON + n), WSK_OK, "who lost it comes back");
    is_str(site.key, registry_make(3)->key, "to the next");
    is_int(registry_connect(reg, "bob", 1, 200, 2, &site), WSK_OK,
           "another account");
    is_str(site.key, registry_make(200)->key, "has keys of its own");
    wsk_registry_close(reg);
}

int main(void)
{
    alarm(300);
    places();
    connecting();
    changes();
    leaving();
    proofs();
    racing();
    dying();
    registry_remove();
    return done_testing();
}
