/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_site_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

#define GOOD "\"site_key\":\"a.b-c_D\",\"publish_secret\":\"p\",\"jwt_secret\":"

static wsk_site_spec_t spec;
static char wrong[WSK_SITE_WRONG_MAX];

/* @return whether the text is an object that is a site */
static bool reads(const char *text)
{
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool is;

    memset(&spec, 0, sizeof spec);
    memcpy(spec.user, "host", 5);
    spec.limits.connections = 7;
    wrong[0] = '\0';
    is = wsk_site_file_spec(wsk_site_file_at(root, 0), &spec, wrong);
    json_decref(root);
    return is;
}

static void sites(void)
{
    ok(reads("{" GOOD "\"j\"}"), "a site");
    is_str(spec.key, "a.b-c_D", "its key");
    is_str(spec.publish.at[0], "p", "its secrets");
    is_str(spec.publish.at[1], "", "one of a kind");
    is_str(spec.jwt.at[0], "j", "of both kinds");
    is_int(spec.signature, 1, "version 1 of the signature");
    is_str(spec.user, "host", "what is not said stays");
    is_int(spec.limits.connections, 7, "limits too");
    ok(reads(
           "{" GOOD "[\"j\",\"k\"],\"site_url\":\"https://x\",\"user\":\"u\","
           "\"signature\":2,\"limits\":{\"connections\":0,\"send_queue\":9}}"),
       "one that says all");
    is_str(spec.jwt.at[1], "k", "a second secret");
    is_str(spec.url, "https://x", "an address");
    is_str(spec.user, "u", "a user");
    is_int(spec.signature, 2, "version 2");
    is_int(spec.limits.connections, 0, "a limit");
    is_int((intmax_t)spec.limits.send_queue, 9, "and another");
}

static void none(void)
{
    static const char *const texts[][3] = {
        { "null", "site_key", "no object" },
        { "{}", "site_key", "nothing" },
        { "{\"site_key\":\"a "
          "b\",\"publish_secret\":\"p\",\"jwt_secret\":\"j\"}",
          "site_key", "a blank in a key" },
        { "{\"site_key\":\"a\\u0000\",\"publish_secret\":\"p\",\"jwt_secret\":"
          "\"j\"}",
          "site_key", "the end of a text in a key" },
        { "{\"site_key\":\"a\",\"jwt_secret\":\"j\"}", "publish_secret",
          "no secret" },
        { "{" GOOD "\"\"}", "jwt_secret", "an empty one" },
        { "{" GOOD "[]}", "jwt_secret", "none in a list" },
        { "{" GOOD "[\"1\",\"2\",\"3\"]}", "jwt_secret", "three" },
        { "{" GOOD "\"j\",\"site_url\":1}", "site_url", "no text" },
        { "{" GOOD "\"j\",\"user\":\"\"}", "user", "nobody" },
        { "{" GOOD "\"j\",\"signature\":3}", "signature", "a later version" },
        { "{" GOOD "\"j\",\"signature\":\"2\"}", "signature", "one in words" },
        { "{" GOOD "\"j\",\"limits\":[]}", "limits", "limits in a list" },
        { "{" GOOD "\"j\",\"limits\":{\"connections\":-1}}",
          "limit \"connections\" is not a whole number", "less than none" },
        { "{" GOOD "\"j\",\"limits\":{\"connections\":4294967296}}",
          "limit \"connections\" is not a whole number", "too many" },
        { "{" GOOD "\"j\",\"limits\":{\"no_such\":1}}",
          "no limit is named \"no_such\"", "an unknown limit" },
    };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(texts); i++) {
        ok(!reads(texts[i][0]) && strstr(wrong, texts[i][1]) != NULL,
           "not a site: %s", texts[i][2]);
    }
}

static json_t *file_of(const char *text)
{
    char name[] = "/tmp/wordsocket-site-XXXXXX";
    const int fd = mkstemp(name);
    json_t *root;

    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        exit(1);
    }
    close(fd);
    wrong[0] = '\0';
    root = wsk_site_file_read(name, wrong);
    unlink(name);
    return root;
}

static void files(void)
{
    json_t *root = file_of("[{},\n{}]");

    is_int((intmax_t)wsk_site_file_count(root), 2, "a list of two");
    ok(wsk_site_file_at(root, 1) == json_array_get(root, 1), "and the second");
    json_decref(root);
    root = file_of("{}");
    is_int((intmax_t)wsk_site_file_count(root), 1, "one alone");
    ok(wsk_site_file_at(root, 0) == root, "is itself");
    json_decref(root);
    ok(file_of("{\n\"publish_secret\":\"hunter2\" x}") == NULL, "no JSON");
    ok(strncmp(wrong, "line 2: ", 8) == 0, "it says in which line");
    ok(strstr(wrong, "hunter2") == NULL, "without what stands there");
    ok(file_of("{\"a\":1,\"a\":2}") == NULL, "nor is a name that comes twice");
    ok(wsk_site_file_read("/nonexistent/file", wrong) == NULL, "no file");
    is_str(wrong, "cannot be opened: No such file or directory", "it says why");
}

int main(void)
{
    sites();
    none();
    files();
    return done_testing();
}
