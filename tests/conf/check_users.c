/*
 * check_users.c - users, TLS and listeners that other machines can reach, in kvcached.conf: what is
 * accepted, every message, and that no message contains a secret.
 */
#include <check.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "protocol/glob.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

#define HASH  "$y$j9T$j9jms9XQtxTOnBKJvnoPy1$aV1WKXue7jUBkTmoBQk88MpLtYesR0oUZRbt2HSC5r0"
#define TLS   "tls_certificate = \"/c\"; tls_key = \"/k\"; "
#define USERS "users = ( { name = \"web\"; } ); "

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

/* --- what is taken --------------------------------------------------------- */

START_TEST(users_are_taken)
{
    struct conf *conf = verdict_good("users = (\n"
                                     " { name = \"web-1.example\"; secret = \"" HASH "\";\n"
                                     "   read = [ \"sessions.*\", \"pages\" ];\n"
                                     "   write = \"sessions.*\"; admin = ( \"[a-z]?\", \"*\" );\n"
                                     "   watch = [ \"a*\" ]; },\n"
                                     " { name = \"root\"; unix_user = \"root\"; read = [ ]; },\n"
                                     " { name = \"cert\"; unix_user = \"\"; write = ( ); } );");
    const struct conf_user *web = &conf->users[0];
    ck_assert_uint_eq(conf->user_count, 3);
    ck_assert_str_eq(web->name, "web-1.example");
    ck_assert_str_eq(web->secret, HASH);
    ck_assert_ptr_null(web->unix_user);
    ck_assert_uint_eq(web->read.count, 2);
    ck_assert_str_eq(web->read.of[0], "sessions.*");
    ck_assert_str_eq(web->read.of[1], "pages");
    ck_assert_uint_eq(web->write.count, 1);
    ck_assert_str_eq(web->write.of[0], "sessions.*");
    ck_assert_uint_eq(web->watch.count, 1);
    ck_assert_str_eq(web->watch.of[0], "a*");
    ck_assert_uint_eq(web->admin.count, 2);
    ck_assert_str_eq(web->admin.of[0], "[a-z]?");
    ck_assert_str_eq(web->admin.of[1], "*");
    ck_assert_str_eq(conf->users[1].unix_user, "root");
    ck_assert_ptr_null(conf->users[1].secret);
    ck_assert_uint_eq(conf->users[1].read.count + conf->users[1].write.count, 0);
    ck_assert_ptr_null(conf->users[2].secret);
    ck_assert_ptr_null(conf->users[2].unix_user);
    conf_destroy(&conf);
}
END_TEST

START_TEST(tls_is_taken)
{
    struct conf *conf = verdict_good("listen = ( { " TLS "tls_client_ca = \"/a\";\n"
                                     "  tls_client = \"required\"; },\n"
                                     " { port = 1; " TLS "tls_client_ca = \"/a\"; },\n"
                                     " { path = \"/s\"; " TLS "}, { port = 2; } );");
    ck_assert_str_eq(conf->listen[0].tls_certificate, "/c");
    ck_assert_str_eq(conf->listen[0].tls_key, "/k");
    ck_assert_str_eq(conf->listen[0].tls_client_ca, "/a");
    ck_assert_int_eq(conf->listen[0].tls_client, CONF_TLS_REQUIRED);
    ck_assert_int_eq(conf->listen[1].tls_client, CONF_TLS_OPTIONAL);
    ck_assert_str_eq(conf->listen[2].tls_key, "/k");
    ck_assert_ptr_null(conf->listen[2].tls_client_ca);
    ck_assert_ptr_null(conf->listen[3].tls_certificate);
    ck_assert_ptr_null(conf->listen[3].tls_key);
    conf_destroy(&conf);
}
END_TEST

START_TEST(by_default_there_are_none)
{
    struct conf *conf = verdict_good("");
    ck_assert_uint_eq(conf->user_count, 0);
    ck_assert(!conf->insecure);
    ck_assert(!conf->core_dumps);
    ck_assert_ptr_null(conf->listen[0].tls_certificate);
    ck_assert_ptr_null(conf->listen[0].tls_key);
    ck_assert_ptr_null(conf->listen[0].tls_client_ca);
    ck_assert_int_eq(conf->listen[0].tls_client, CONF_TLS_OPTIONAL);
    conf_destroy(&conf);
    conf = verdict_good("insecure = true; core_dumps = true;");
    ck_assert(conf->insecure);
    ck_assert(conf->core_dumps);
    conf_destroy(&conf);
}
END_TEST

static const char *const fine[] = {
    "users = ( );",
    "users = ( { name = \"a\"; secret = "
    "\"$6$saltstring$nk7Qohr7tOmwY2mX639VRP.Lyvj3uhcgpatqHuLC867qfSHKq1LDuKa/"
    "h7Es9Nv0aL08pbF.cnQlRqhaoKT/D.\"; } );",
    "users = ( { name = \"a\"; secret = "
    "\"$2y$05$abcdefghijklmnopqrstuuhKF09ZYWwH2zP/0fwE1X8e/Q1YNx/hO\"; } );",
    "users = ( { name = \"a\"; read = \"A.b_C-9\"; write = \"-a\"; admin = \"--\"; } );",
    "users = ( { name = \"a\"; unix_user = \"\"; }, { name = \"b\"; unix_user = \"\"; } );",
    "users = ( { name = \"a\"; }, { name = \"A\"; } );",
    "listen = ( { tls_certificate = \"\"; tls_key = \"\"; tls_client_ca = \"\"; } );",
    "listen = ( { protocol = \"memcache\"; " TLS "} );",
    "listen = ( { address = \"127.255.255.255\"; }, { address = \"127.0.0.2\"; } );",
    "listen = ( { address = \"::1\"; }, { address = \"::ffff:127.0.0.1\"; } );",
    "listen = ( { path = \"/s\"; } );",
    USERS "listen = ( { address = \"0.0.0.0\"; " TLS "} );",
    USERS "listen = ( { address = \"::\"; " TLS "}, { address = \"::1\"; port = 1; } );",
    "insecure = true; listen = ( { address = \"192.0.2.1\"; } );",
    "insecure = true; " USERS "listen = ( { address = \"2001:db8::1\"; } );",
    "listen = ( { address = \"192.0.2.1\"; } ); insecure = true; ",
};

START_TEST(good_ones_are_taken)
{
    struct conf *conf = verdict_good(fine[_i]);
    conf_destroy(&conf);
}
END_TEST

/* --- what is refused ------------------------------------------------------- */

#define NO_HASH                                                                                    \
    "users.secret: what stands here is not a secret's hash, write what \"kvcached "                \
    "--hash-secret\" "                                                                             \
    "prints for the secret"
#define WRITE_PATTERNS "write 1 to 64 of A-Z a-z 0-9 _ . - * ? [ ] in quotes, or a list of such"
#define ADD            "write that too or leave this out"
#define OR_INSECURE    ", or insecure = true: see \"Users and rights\" in kvcached(8)"

static const char *const wrong[][2] = {
    {"users = 5;", "users: 5 is not a list of groups, write a list of 0 to 10000 groups, ( { ... "
                   "}, { ... } )"},
    {"users = ( \"web\" );",
     "users: number 1 of the list is not a group, write { name = value; ... }"},
    {"users = ( { } );", "users.name: it is missing, write name = \"...\"; in this group"},
    {"users = ( { name = \"a b\"; } );",
     "users.name: \"a b\" is not a user's name, write 1 to 64 of A-Z a-z 0-9 _ . - (but not - "
     "alone)"},
    {"users = ( { name = \"-\"; } );", "users.name: \"-\" is not a user's name, write 1 to 64 of "
                                       "A-Z a-z 0-9 _ . - (but not - alone)"},
    {"users = ( { name = \"a\"; }, { name = \"b\"; }, { name = \"a\"; } );",
     "users.name: \"a\" is declared in line 1 already, keep one of them"},
    {"users = ( { name = \"a\"; rights = \"*\"; } );",
     "users.rights: there is no such option, write read, write or admin in a group of users"},
    {"users = ( { name = \"a\"; reed = \"*\"; } );",
     "users.reed: there is no such option, did you mean read?"},
    {"users = ( { name = \"a\"; ttl = 5; } );",
     "users.ttl: it is no option here, write it at the top level"},
    {"secret = \"$6$salt$hunter2\";", "secret: it is no option here, write it in a group of users"},
    {"users = ( { name = \"a\"; unix_user = \"no-such-user-here\"; } );",
     "users.unix_user: \"no-such-user-here\" is not known here, write the name of a user of this "
     "machine"},
    {"users = ( { name = \"a\"; unix_user = \"nobody\"; } );",
     "users.unix_user: \"nobody\" is also what the kernel reports for users that it cannot map, "
     "write another user of this machine"},
    {"users = ( { name = \"a\"; unix_user = \"root\"; }, { name = \"b\"; unix_user = \"root\"; } "
     ");",
     "users.unix_user: \"root\" is another user in line 1 already, keep one of them"},
    {"users = ( { name = \"a\"; read = \"a/b\"; } );",
     "users.read: \"a/b\" is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; write = \"\"; } );",
     "users.write: \"\" is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; admin = true; } );",
     "users.admin: true is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = { }; } );",
     "users.read: this group is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = ( \"a\", 5, \"b\" ); } );",
     "users.read: 5 is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = ( ( \"a\" ) ); } );",
     "users.read: this list is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = [ \"a\", \"[^b]\" ]; } );",
     "users.read: \"[^b]\" is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = \"a\\\\*\"; } );",
     "users.read: \"a\\*\" is not a pattern of namespaces, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = \"[a\"; } );",
     "users.read: \"[a\" is a pattern with a [ that has no ], " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = \"[z-a]\"; } );",
     "users.read: \"[z-a]\" is a pattern with a range that runs backwards, " WRITE_PATTERNS},
    {"users = ( { name = \"a\"; read = \"-\"; } );",
     "users.read: \"-\" is no namespace here, write the namespace's own name"},
    {"users = ( { name = \"a\"; write = [ \"b\", \"-\" ]; } );",
     "users.write: \"-\" is no namespace here, write the namespace's own name"},
    {"insecure = 1;", "insecure: 1 is not one of its words, write true or false"},
    {"core_dumps = \"no\";", "core_dumps: \"no\" is not one of its words, write true or false"},
    {"listen = ( { tls_certificate = \"c\"; tls_key = \"/k\"; } );",
     "listen.tls_certificate: \"c\" is not an absolute path, write a path that begins with / and "
     "has at most 4095 bytes"},
    {"listen = ( { tls_certificate = \"/c\"; } );",
     "listen.tls_certificate: it needs tls_key beside it, " ADD},
    {"listen = ( { tls_key = \"/k\"; tls_certificate = \"\"; } );",
     "listen.tls_key: it needs tls_certificate beside it, " ADD},
    {"listen = ( { tls_client_ca = \"/a\"; } );",
     "listen.tls_client_ca: it needs tls_certificate beside it, " ADD},
    {"listen = ( { tls_client_ca = \"/a\"; " TLS "tls_client = \"maybe\"; } );",
     "listen.tls_client: \"maybe\" is not one of its words, write \"optional\" or \"required\""},
    {"listen = ( { " TLS "tls_client = \"optional\"; } );",
     "listen.tls_client: it needs tls_client_ca beside it, " ADD},
    {"tls_key = \"/k\";", "tls_key: it is no option here, write it in a group of listen"},
    {"listen = ( { address = \"0.0.0.0\"; } );",
     "listen.address: other machines can reach \"0.0.0.0\", and there are neither users nor TLS\n"
     "f:1: listen.address: write users, tls_certificate and tls_key" OR_INSECURE},
    {"listen = ( { address = \"::\"; " TLS "} );",
     "listen.address: other machines can reach \"::\", and there are no users\n"
     "f:1: listen.address: write users at the top level" OR_INSECURE},
    {"users = ( ); listen = ( { address = \"128.0.0.1\"; " TLS "} ); insecure = false;",
     "listen.address: other machines can reach \"128.0.0.1\", and there are no users\n"
     "f:1: listen.address: write users at the top level" OR_INSECURE},
    {USERS "listen = ( { address = \"126.255.255.255\"; } );",
     "listen.address: other machines can reach \"126.255.255.255\", and there is no TLS\n"
     "f:1: listen.address: write tls_certificate and tls_key here" OR_INSECURE},
    {USERS "listen = ( { address = \"::ffff:128.0.0.1\"; tls_certificate = \"\"; } );",
     "listen.address: other machines can reach \"::ffff:128.0.0.1\", and there is no TLS\n"
     "f:1: listen.address: write tls_certificate and tls_key here" OR_INSECURE},
};

START_TEST(bad_ones_are_refused)
{
    verdict_refused(wrong[_i][0], wrong[_i][1]);
}
END_TEST

START_TEST(the_longest_names_and_patterns)
{
    char text[256], word[66] = "";
    memset(word, 'a', 64);
    snprintf(text, sizeof text, "users = ( { name = \"%s\"; read = \"%s\"; } );", word, word);
    struct conf *conf = verdict_good(text);
    ck_assert_str_eq(conf->users[0].name, word);
    ck_assert_str_eq(conf->users[0].read.of[0], word);
    conf_destroy(&conf);

    word[64] = '*';
    snprintf(text, sizeof text, "users = ( { name = \"a\"; read = \"%s\"; } );", word);
    struct conf_errors errors;
    ck_assert(!conf_load_text("f", text, strlen(text), &conf, &errors));
    ck_assert_ptr_nonnull(strstr(errors.text, "\" is too long, " WRITE_PATTERNS));
    conf_errors_deinit(&errors);
}
END_TEST

START_TEST(one_mistake_is_told_once)
{
    /* A setting that was refused counts as given. */
    verdict_bad("users = 5; listen = ( { address = \"0.0.0.0\"; " TLS "} );",
                "f:1: users: 5 is not a list of groups, write a list of 0 to 10000 groups, ( { "
                "... }, { ... } )\n");
    verdict_bad("insecure = 5; listen = ( { address = \"0.0.0.0\"; } );",
                "f:1: insecure: 5 is not one of its words, write true or false\n");
    verdict_bad(USERS "listen = ( { address = \"0.0.0.0\"; tls_key = \"/k\"; tls_certificate = 5; "
                      "} );",
                "f:1: listen.tls_certificate: 5 is not an absolute path, write a path that begins "
                "with / and has at most 4095 bytes\n");
    verdict_bad(
        "users = ( { name = 5; }, { name = 5; unix_user = 5; } );",
        "f:1: users.name: 5 is not a user's name, write 1 to 64 of A-Z a-z 0-9 _ . - (but "
        "not - alone)\n"
        "f:1: users.name: 5 is not a user's name, write 1 to 64 of A-Z a-z 0-9 _ . - (but "
        "not - alone)\n"
        "f:1: users.unix_user: 5 is not known here, write the name of a user of this machine\n");
}
END_TEST

START_TEST(each_mistake_is_told_at_its_line)
{
    verdict_bad("users = (\n"
                "  { name = \"a\";\n"
                "    unix_user = \"root\"; },\n"
                "  { unix_user =\n"
                "      \"root\";\n"
                "    read = [ \"a\",\n"
                "      \"b c\" ]; },\n"
                "  { name = \"b\"; secret = \"hunter2\";\n"
                "    secret = \"hunter3\"; },\n"
                "  { read = \"a\";\n"
                "    name = \"a\"; }\n"
                ");\n"
                "listen = ( {\n"
                "  port = 1;\n"
                "  address = \"0.0.0.0\";\n"
                "  tls_client = \"optional\"; } );\n",
                "f:4: users.name: it is missing, write name = \"...\"; in this group\n"
                "f:4: users.unix_user: \"root\" is another user in line 3 already, keep one of "
                "them\n"
                "f:7: users.read: \"b c\" is not a pattern of namespaces, " WRITE_PATTERNS "\n"
                "f:8: " NO_HASH "\n"
                "f:9: users.secret: it is given in line 8 already, keep one of them\n"
                "f:11: users.name: \"a\" is declared in line 2 already, keep one of them\n"
                "f:15: listen.address: other machines can reach \"0.0.0.0\", and there is no TLS\n"
                "f:15: listen.address: write tls_certificate and tls_key here" OR_INSECURE "\n"
                "f:16: listen.tls_client: it needs tls_certificate beside it, " ADD "\n"
                "f:16: listen.tls_client: it needs tls_client_ca beside it, " ADD "\n");
}
END_TEST

/* root, and another user with a uid of its own. */
START_TEST(two_users_of_this_machine_are_two)
{
    char text[256];
    const struct passwd *other;
    setpwent();
    while ((other = getpwent()) != NULL && (other->pw_uid == 0 || other->pw_uid == 65534)) {
    }
    ck_assert_ptr_nonnull(other);
    snprintf(text, sizeof text,
             "users = ( { name = \"a\"; unix_user = \"root\"; }, { name = \"b\"; unix_user = "
             "\"%s\"; } );",
             other->pw_name);
    endpwent();
    struct conf *conf = verdict_good(text);
    conf_destroy(&conf);
}
END_TEST

/* --- secrets ------------------------------------------------------------------ */

#define UNUSABLE(why)                                                                              \
    "users.secret: no secret can have this hash: " why ", write what \"kvcached --hash-secret\" "  \
    "prints for the secret"

/* What an administrator might write instead of a hash. */
static const char *const secrets[] = {
    "\"hunter2\"",     "\"$hunter2\"",      "\"hunter2$6$salt$\"",       "\"$6$hunter2 $x\"",
    "\"$$hunter2\"",   "\"$6$hunter2\\n\"", "\"$6$hunter2\\x7f\"",       "\"$6$hunter2\\xc3\"",
    "[ \"hunter2\" ]", "( \"hunter2\" )",   "{ secret = \"hunter2\"; }", "\" $6$salt$hunter2\"",
};

START_TEST(a_plain_secret_is_not_repeated)
{
    char text[256];
    snprintf(text, sizeof text, "users = ( { name = \"a\"; secret = %s; } );", secrets[_i]);
    verdict_refused(text, NO_HASH);
}
END_TEST

START_TEST(other_things_that_are_no_hash)
{
    char text[1024], word[385] = "$6$";
    verdict_refused("users = ( { name = \"a\"; secret = \"\"; } );", NO_HASH);
    verdict_refused("users = ( { name = \"a\"; secret = 8172635; } );", NO_HASH);
    verdict_refused("users = ( { name = \"a\"; secret = 8172635463728; } );", NO_HASH);
    verdict_refused("users = ( { name = \"a\"; secret = true; } );", NO_HASH);
    verdict_refused("users = ( { name = \"a\"; secret = \"$6\"; } );", NO_HASH);

    memset(word + 3, 'a', sizeof word - 4);
    snprintf(text, sizeof text, "users = ( { name = \"a\"; secret = \"%s\"; } );", word);
    verdict_refused(text, "users.secret: what stands here is too long, write what \"kvcached "
                          "--hash-secret\" prints for the secret");
    word[383] = '\0';
    snprintf(text, sizeof text, "users = ( { name = \"a\"; secret = \"%s\"; } );", word);
    verdict_refused(text, UNUSABLE("it is not whole, or has something in it that its method never "
                                   "writes"));
}
END_TEST

/* A hash of each method that libxcrypt makes, with different costs. */
static const char *const usable[] = {
    HASH,
    "$6$saltstring$nk7Qohr7tOmwY2mX639VRP.Lyvj3uhcgpatqHuLC867qfSHKq1LDuKa/"
    "h7Es9Nv0aL08pbF.cnQlRqhaoKT/D.",
    "$6$rounds=20000$salt$emY6EsEusa/8F5oT05EN8SY1uf0kys1qElQB9ASuAwDQhgxvYHz/fE9DBoQw/"
    "BiG7QVYLNoSK9zJ43kqa0W49.",
    "$5$salt$eC8iHMk0B/acxRGi4idWiCK/.xXHLUsxovn4V591t3.",
    "$2b$12$abcdefghijklmnopqrstuuOeZ2hQ32AyBh8ZYFFLfYoUxWKOV2GcS",
    "$2y$05$abcdefghijklmnopqrstuuhKF09ZYWwH2zP/0fwE1X8e/Q1YNx/hO",
    "$gy$j9T$j9jms9XQtxTOnBKJvnoPy1$GnEUAns2qMK7gd9e4twD01E0ZtyN88RkFd8bux4/xM9",
    "$7$BU..../....abcdefgh$8p0vD2tMIirrBrzpRbAQQOApz47pWLzCNylrN1epSo5",
    "$sha1$20000$salt$pnQ1evHbANrvQpNPiFXzYoPOBE4Q",
    "$md5,rounds=100$salt$$xTwY.V2r7DEufYusrAV1k0",
    "$1$salt$9GHNWvCB1UrDZjPi7uags0",
    "$3$$a9f0dd57e1edab5bb55a9ac0a99c15ec",
    "$y$jCT$j9jms9XQtxTOnBKJvnoPy1$CJOD7nwHJaFmriF9XRAJOup7HC.eFe8iqkr.4RWs4o7",
};

START_TEST(hashes_that_crypt_makes)
{
    char text[512];
    snprintf(text, sizeof text, "users = ( { name = \"a\"; secret = \"%s\"; } );", usable[_i]);
    for (int i = 0; i < 2; i++) { /* the second time it is cached */
        struct conf *conf = verdict_good(text);
        ck_assert_str_eq(conf->users[0].secret, usable[_i]);
        conf_destroy(&conf);
    }
}
END_TEST

/* A byte less at the end, a byte more, and a byte that is not in the alphabet. */
START_TEST(hashes_that_are_not_whole)
{
    char text[512], hash[256];
    size_t length = strlen(usable[_i]);
    for (int i = 0; i < 4; i++) {
        snprintf(hash, sizeof hash, "%s", usable[_i]);
        if (i == 0) {
            hash[length - 1] = '\0';
        } else if (i == 1) {
            strcpy(hash + length, ".");
        } else if (i == 2) {
            hash[length - 1] = '=';
        } else {
            strcpy(strrchr(hash, '$'), strncmp(hash, "$2", 2) == 0 ? "$abc" : "$");
        }
        snprintf(text, sizeof text, "users = ( { name = \"a\";\nsecret = \"%s\"; } );", hash);
        struct conf *conf = NULL;
        struct conf_errors errors = {0};
        ck_assert_msg(!conf_load_text("f", text, strlen(text), &conf, &errors), "%s", hash);
        ck_assert_ptr_nonnull(strstr(errors.text, "f:2: users.secret: no secret can have this"));
        ck_assert_ptr_null(strstr(errors.text, hash));
        conf_errors_deinit(&errors);
    }
}
END_TEST

static const struct {
    const char *hash, *why;
} unusable[] = {
    {"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub", "crypt(3) has no such method"},
    {"$foo$bar", "crypt(3) has no such method"},
    {"$2z$05$abcdefghijklmnopqrstuu", "crypt(3) has no such method"},
    {"$2b$32$abcdefghijklmnopqrstuu", "its cost is none that crypt(3) takes"},
    {"$2b$5$abcdefghijklmnopqrstuu", "its cost is none that crypt(3) takes"},
    {"$6$rounds=999999999999$salt$abc", "its cost is none that crypt(3) takes"},
    {"$6$rounds=020000$salt$abc", "its cost is none that crypt(3) takes"},
    {"$y$j.T$j9jms9XQtxTOnBKJvnoPy1$aV1WKXue7jUBkTmoBQk88MpLtYesR0oUZRbt2HSC5r0",
     "its cost is none that crypt(3) takes"},
    {"$y$jzT$j9jms9XQtxTOnBKJvnoPy1$aV1WKXue7jUBkTmoBQk88MpLtYesR0oUZRbt2HSC5r0",
     "its cost is none that crypt(3) takes"},
    {"$y$j9T$j9jms9XQtxTOnBKJvnoPy$aV1WKXue7jUBkTmoBQk88MpLtYesR0oUZRbt2HSC5r0",
     "its salt or its cost is none that crypt(3) takes"},
};

START_TEST(hashes_that_no_secret_has)
{
    char text[512], said[512];
    snprintf(text, sizeof text, "users = ( { name = \"a\"; secret = \"%s\"; } );",
             unusable[_i].hash);
    snprintf(said, sizeof said, UNUSABLE("%s"), unusable[_i].why);
    verdict_refused(text, said);
}
END_TEST

/* A hash in a file that is refused for another reason. */
START_TEST(a_hash_is_in_no_message)
{
    static const char text[] =
        "users = ( { name = \"a\"; secret = \"" HASH "\"; secret = \"" HASH "\"; red = 5; },\n"
        " { name = \"a\"; sercet = \"" HASH "\"; } ); secret = \"" HASH "\"; threads = 99; = ;";
    struct conf *conf;
    struct conf_errors errors;
    for (size_t length = 0; length < sizeof text; length++) {
        conf_load_text("f", text, length, &conf, &errors);
        ck_assert_msg(errors.text == NULL || strstr(errors.text, "j9T") == NULL, "%s", errors.text);
        conf_destroy(&conf);
        conf_errors_deinit(&errors);
    }
}
END_TEST

/* --- patterns ------------------------------------------------------------------- */

/* Every text of up to 6 characters that patterns are made of is accepted exactly where
 * protocol/glob.h accepts it as a valid pattern. */
START_TEST(a_pattern_is_what_a_glob_is)
{
    static const char letters[] = "a-[]*z";
    enum { LONGEST = 6 };
    size_t taken = 0, refused = 0, numbers = 1;
    for (int length = 1; length <= LONGEST; length++) {
        numbers *= sizeof letters - 1;
        for (size_t number = 0; number < numbers; number++) {
            char pattern[LONGEST + 1] = "", text[64];
            size_t rest = number;
            for (int i = 0; i < length; i++, rest /= sizeof letters - 1) {
                pattern[i] = letters[rest % (sizeof letters - 1)];
            }
            int wrote = snprintf(text, sizeof text, "users=({name=\"a\";read=\"%s\";});", pattern);

            struct conf *conf;
            struct conf_errors errors;
            bool good = conf_load_text("f", text, (size_t)wrote, &conf, &errors);
            bool valid = glob_valid(slice_of(pattern)) && strcmp(pattern, "-") != 0;
            ck_assert_msg(good == valid, "%s: %s", pattern, good ? "taken" : errors.text);
            taken += good;
            refused += !good;
            conf_destroy(&conf);
            conf_errors_deinit(&errors);
        }
    }
    ck_assert_uint_gt(taken, 1000);
    ck_assert_uint_gt(refused, 1000);
}
END_TEST

/* --- reload --------------------------------------------------------------------- */

static const struct {
    const char *now;
    const char *next;
    const char *names;
} changes[] = {
    {"", USERS "insecure = true;", ""},
    {USERS, "users = ( { name = \"web\"; secret = \"" HASH "\"; read = \"*\"; } );", ""},
    {"listen = ( { " TLS "} );", "\nlisten = ( { " TLS "tls_client_ca = \"\"; } );", ""},
    {"", "listen = ( { " TLS "} );", "listen"},
    {"listen = ( { tls_certificate = \"/c\"; tls_key = \"/l\"; } );", "listen = ( { " TLS "} );",
     "listen"},
    {"listen = ( { tls_certificate = \"/d\"; tls_key = \"/k\"; } );", "listen = ( { " TLS "} );",
     "listen"},
    {"listen = ( { " TLS "tls_client_ca = \"/a\"; } );", "listen = ( { " TLS "} );", "listen"},
    {"listen = ( { " TLS "tls_client_ca = \"/a\"; } );",
     "listen = ( { " TLS "tls_client_ca = \"/a\"; tls_client = \"required\"; } );", "listen"},
    {"", "core_dumps = true;", "core_dumps"},
};

START_TEST(what_needs_a_restart_is_named)
{
    struct conf *now = verdict_good(changes[_i].now), *next = verdict_good(changes[_i].next);
    char names[128];
    conf_needs_restart(now, next, names, sizeof names);
    ck_assert_str_eq(names, changes[_i].names);
    conf_needs_restart(next, now, names, sizeof names);
    ck_assert_str_eq(names, changes[_i].names);
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

/* The listeners, a file that is valid by itself, and which listener a reload of it would expose;
 * -1: none. */
static const struct {
    const char *listening;
    const char *next;
    int exposed;
} exposures[] = {
    {"", "", -1},
    {USERS "listen = ( { path = \"/s\"; }, { address = \"::1\"; } );", "", -1},
    {USERS "listen = ( { }, { address = \"0.0.0.0\"; port = 1; " TLS "} );", "", 1},
    {USERS "listen = ( { address = \"0.0.0.0\"; " TLS "} );", USERS, -1},
    {USERS "listen = ( { address = \"0.0.0.0\"; " TLS "} );", "insecure = true;", -1},
    {"insecure = true; listen = ( { address = \"0.0.0.0\"; } );", USERS, 0},
    {"insecure = true; listen = ( { address = \"0.0.0.0\"; } );", USERS "insecure = true;", -1},
};

START_TEST(what_would_be_left_open_is_found)
{
    struct conf *listening = verdict_good(exposures[_i].listening);
    struct conf *next = verdict_good(exposures[_i].next);
    const struct conf_listen *exposed = conf_exposed(listening, next);
    if (exposures[_i].exposed < 0) {
        ck_assert_ptr_null(exposed);
    } else {
        ck_assert_ptr_eq(exposed, &listening->listen[exposures[_i].exposed]);
    }
    conf_destroy(&listening);
    conf_destroy(&next);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf users");
    TCase *users = tcase_create("users");
    tcase_set_timeout(users, 60);
    tcase_add_test(users, users_are_taken);
    tcase_add_test(users, tls_is_taken);
    tcase_add_test(users, by_default_there_are_none);
    tcase_add_loop_test(users, good_ones_are_taken, 0, COUNT(fine));
    tcase_add_loop_test(users, bad_ones_are_refused, 0, COUNT(wrong));
    tcase_add_test(users, the_longest_names_and_patterns);
    tcase_add_test(users, one_mistake_is_told_once);
    tcase_add_test(users, each_mistake_is_told_at_its_line);
    tcase_add_test(users, two_users_of_this_machine_are_two);
    tcase_add_loop_test(users, a_plain_secret_is_not_repeated, 0, COUNT(secrets));
    tcase_add_test(users, other_things_that_are_no_hash);
    tcase_add_loop_test(users, hashes_that_crypt_makes, 0, sizeof usable / sizeof usable[0]);
    tcase_add_loop_test(users, hashes_that_are_not_whole, 0, sizeof usable / sizeof usable[0]);
    tcase_add_loop_test(users, hashes_that_no_secret_has, 0, sizeof unusable / sizeof unusable[0]);
    tcase_add_test(users, a_hash_is_in_no_message);
    tcase_add_test(users, a_pattern_is_what_a_glob_is);
    tcase_add_loop_test(users, what_needs_a_restart_is_named, 0, COUNT(changes));
    tcase_add_loop_test(users, what_would_be_left_open_is_found, 0, COUNT(exposures));
    suite_add_tcase(suite, users);

    return suite_run(suite);
}
