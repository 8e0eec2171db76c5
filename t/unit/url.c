/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_url.h"

#include "tap.h"

static const struct {
    const char *url, *origin, *site; /* NULL: refused */
} urls[] = {
    { "https://example.org", "https://example.org", "https://example.org" },
    { "HTTPS://Example.ORG:443/", "https://example.org",
      "https://example.org" },
    { "http://example.org:80//", "http://example.org", "http://example.org" },
    { "http://example.org:443", "http://example.org:443",
      "http://example.org:443" },
    { "https://a.example:8443/Blog/", "https://a.example:8443",
      "https://a.example:8443/Blog" },
    { "https://[2001:DB8::1]:9/x", "https://[2001:db8::1]:9",
      "https://[2001:db8::1]:9/x" },
    { "https://a.example/wp-admin/admin-post.php?action=x&b=%20c",
      "https://a.example", NULL },
    { "https://a.example?x", "https://a.example", NULL },
    { "https://a.example/b/../c", "https://a.example", NULL },
    { "https://a.example/b//c", "https://a.example", NULL },
    { "https://a.example/%2e%2E/c", "https://a.example", NULL },
    { "https://a.example#x", NULL, NULL },
    { "https://a.example/#x", NULL, NULL },
    { "https://u@a.example", NULL, NULL },
    { "https://u:p@a.example/", NULL, NULL },
    { "https://a.example\\@b.example", NULL, NULL },
    { "https://a.example\\.b.example/", NULL, NULL },
    { "https://a.example/\\b", NULL, NULL },
    { "https://a.example:x", NULL, NULL },
    { "https://a.example:", NULL, NULL },
    { "https://a.example:0", NULL, NULL },
    { "https://a.example:65536", NULL, NULL },
    { "https://a.example:999999", NULL, NULL },
    { "https://a.example:443x", NULL, NULL },
    { "https://a.example;b", NULL, NULL },
    { "https://[::1", NULL, NULL },
    { "https://[]", NULL, NULL },
    { "https://-a", NULL, NULL },
    { "https://.a", NULL, NULL },
    { "https://", NULL, NULL },
    { "https:///x", NULL, NULL },
    { "https:/a.example", NULL, NULL },
    { "//a.example", NULL, NULL },
    { "ftp://a.example", NULL, NULL },
    { "javascript:alert(1)//https://a.example", NULL, NULL },
    { " https://a.example", NULL, NULL },
    { "https://a.example ", NULL, NULL },
    { "https://a.example/ x", NULL, NULL },
    { "https://a.example/\"x", NULL, NULL },
    { "https://a.example/'x", NULL, NULL },
    { "https://a.example/<x", NULL, NULL },
    { "https://a.example/x\n", NULL, NULL },
    { "https://\xc3\xa4.example", NULL, NULL },
    { "", NULL, NULL },
};

static const struct {
    const char *site, *url;
    bool is;
} below[] = {
    { "https://a.example", "https://a.example", true },
    { "https://a.example", "https://A.example:443/x?y", true },
    { "https://a.example", "https://a.example.evil/x", false },
    { "https://a.example", "https://a.example:444/x", false },
    { "https://a.example", "http://a.example/x", false },
    { "https://a.example:444", "https://a.example/x", false },
    { "https://a.example/~al", "https://a.example/~al", true },
    { "https://a.example/~al", "https://a.example/~al/", true },
    { "https://a.example/~al", "https://a.example/~al?x=/../y//z%2e", true },
    { "https://a.example/~al", "https://a.example/~al/wp/.x/y.php?a=b", true },
    { "https://a.example/~al", "https://a.example/~al2/x", false },
    { "https://a.example/~al", "https://a.example/~a", false },
    { "https://a.example/~al", "https://a.example/", false },
    { "https://a.example/~al", "https://a.example", false },
    { "https://a.example/~al", "https://a.example/?/~al/x", false },
    { "https://a.example/~al", "https://a.example/~al/../x", false },
    { "https://a.example/~al", "https://a.example/~al/..", false },
    { "https://a.example/~al", "https://a.example/~al/..;/x", false },
    { "https://a.example/~al", "https://a.example/~al/./x", false },
    { "https://a.example/~al", "https://a.example/~al/.;x/y", false },
    { "https://a.example/~al", "https://a.example/~al//x", false },
    { "https://a.example/~al", "https://a.example//~al/x", false },
    { "https://a.example/~al", "https://a.example/~al/.%2e/x", false },
    { "https://a.example/~al", "https://a.example/~al/%2E./x", false },
    { "https://a.example/~al", "https://a.example/~al%2f..%2fx", false },
    { "https://a.example/~al", "https://a.example/~al/%5c../x", false },
    { "https://a.example/~al", "https://a.example/~al/%252e%252e/x", false },
    { "https://a.example/~al", "https://a.example/~al/caf%c3%a9", true },
};

static const struct {
    const char *origin;
    bool is;
} private[] = {
    { "https://example.org", true },
    { "http://example.org", false },
    { "http://localhost", true },
    { "http://localhost:8080", true },
    { "http://localhost.example", false },
    { "http://127.0.0.1:81", true },
    { "http://127.9.9.9", true },
    { "http://127.example", false },
    { "http://[::1]", true },
    { "http://[::1]:8080", true },
    { "http://[::2]", false },
    { "http://128.0.0.1", false },
};

static void lengths(void)
{
    char url[3000] = "https://", out[WSK_URL_MAX + 1];

    memset(url + 8, 'a', sizeof(url) - 9);
    url[8 + 241] = '\0';
    ok(wsk_url_origin(url, out), "a long host");
    is_int((intmax_t)strlen(out), 249, "comes out whole");
    url[8 + 241] = 'a';
    url[8 + 242] = '\0';
    ok(!wsk_url_origin(url, out), "a longer one does not");
    url[8 + 242] = 'a';
    url[9] = '/';
    url[10 + 1999] = '\0';
    ok(wsk_url_origin(url, out), "a long path of a callback");
    ok(!wsk_url_site(url, out), "is too long for a site");
    url[WSK_URL_MAX] = '\0';
    ok(wsk_url_site(url, out) && strlen(out) == WSK_URL_MAX,
       "as long as it may be");
}

int main(void)
{
    char out[WSK_URL_MAX + 1];
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(urls); i++) {
        is_str(wsk_url_origin(urls[i].url, out) ? out : NULL, urls[i].origin,
               "origin of '%s'", urls[i].url);
        is_str(wsk_url_site(urls[i].url, out) ? out : NULL, urls[i].site,
               "site of '%s'", urls[i].url);
    }
    for (i = 0; i < WSK_COUNT_OF(private); i++) {
        ok(wsk_url_private(private[i].origin) == private[i].is, "%s: %s",
           private[i].origin, private[i].is ? "private" : "not private");
    }
    is_str(wsk_url_host("https://a.example:1"), "a.example:1", "a host");
    lengths();
    for (i = 0; i < WSK_COUNT_OF(below); i++) {
        is_int(wsk_url_below(below[i].site, below[i].url), below[i].is,
               "%s is%s below %s", below[i].url, below[i].is ? "" : " not",
               below[i].site);
    }
    return done_testing();
}
