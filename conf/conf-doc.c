/*
 * conf-doc.c - prints what is made from options.def: the sample file, and the
 * tables of the manual page.
 *
 *     conf-doc sample            the whole of kvcached.conf
 *     conf-doc page FILE.in      FILE.in, with a table in place of each line
 *                                `.\" options SCOPE`
 *
 * A build tool; it is not installed. `make conf-documents` runs it to write both files, and a
 * test runs it to check that they are up to date. It reads no configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_option.h"

enum { WIDTH = 78 };

/* --- text ------------------------------------------------------------------ */

/* Prints words in lines of at most WIDTH characters that begin with `indent`. With `sentences`, as
 * in the manual page, each sentence begins a line and a lone hyphen is printed as a minus. */
static void print_text(const char *indent, const char *text, bool sentences)
{
    size_t column = 0;
    bool ended = false; /* the word before ends a sentence */
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column > 0 && ((sentences && ended) || column + 1 + length > WIDTH)) {
            putchar('\n');
            column = 0;
        }
        int wrote = printf("%s", column == 0 ? indent : " ");
        wrote += sentences && length == 1 && *text == '-' ? printf("\\-")
                                                          : printf("%.*s", (int)length, text);
        column += (size_t)wrote;
        ended = length > 1 && text[length - 1] == '.' && text[length - 2] != '.';
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

/* An option as it is written in the file; its name alone where it has no fallback. */
static void format_setting(const struct conf_option *option, char *text, size_t size)
{
    const char *quote = conf_option_quoted(option) ? "\"" : "";
    if (option->fallback == NULL) {
        snprintf(text, size, "%s", option->name);
    } else {
        snprintf(text, size, "%s = %s%s%s;", option->name, quote, option->fallback, quote);
    }
}

/* What may be written, what the default is, and whether a change needs a restart. */
static void describe(const struct conf_option *option, bool with_default, char *text, size_t size)
{
    char expected[160], fallback[96] = "";
    const char *quote = conf_option_quoted(option) ? "\"" : "";
    const char *change = option->change == CHANGE_RESTART ? " A change needs a restart." : "";
    conf_option_expected(option, expected, sizeof expected);
    if (with_default && option->fallback != NULL && option->fallback[0] == '\0') {
        snprintf(fallback, sizeof fallback, "; by default none");
    } else if (with_default && option->fallback != NULL) {
        snprintf(fallback, sizeof fallback, "; by default %s%s%s", quote, option->fallback, quote);
    }
    snprintf(text, size, "Takes %s%s.%s", expected, fallback, change);
}

/* --- the sample -------------------------------------------------------------- */

static void print_member(const struct conf_option *option)
{
    char text[256];
    format_setting(option, text, sizeof text);
    printf("#\n#   %s\n", text);
    print_text("#       ", option->help, false);
    describe(option, option->fallback == NULL, text, sizeof text);
    print_text("#       ", text, false);
}

static void print_members(enum conf_scope scope)
{
    printf("#\n# In %s group:\n",
           scope == SCOPE_LISTEN || scope == SCOPE_NAMESPACES || scope == SCOPE_USERS ? "each"
                                                                                      : "the");
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope == scope) {
            print_member(&conf_options[i]);
        }
    }
    printf("#\n");
}

static void print_setting(const struct conf_option *option)
{
    char text[256];
    printf("\n");
    print_text("# ", option->help, false);
    describe(option, false, text, sizeof text);
    print_text("# ", text, false);
    if (option->type == TYPE_LISTENERS) {
        print_members(SCOPE_LISTEN);
    } else if (option->type == TYPE_NAMESPACES) {
        print_members(SCOPE_NAMESPACES);
    } else if (option->type == TYPE_USERS) {
        print_members(SCOPE_USERS);
    } else if (option->type == TYPE_ARENA) {
        print_members(SCOPE_ARENA);
    } else if (option->type == TYPE_CLUSTER) {
        print_members(SCOPE_CLUSTER);
    } else if (option->type == TYPE_METRICS) {
        print_members(SCOPE_METRICS);
    } else if (option->type == TYPE_SLOW_LOG) {
        print_members(SCOPE_SLOW_LOG);
    } else if (option->type == TYPE_LOGGING) {
        print_members(SCOPE_LOG);
    }
    format_setting(option, text, sizeof text);
    printf("#%s\n", text);
}

static const char sample_begins[] =
    "# kvcached.conf - the configuration of kvcached(8)\n"
    "#\n"
    "# This file shows every option with its default. To change one, remove the #\n"
    "# from the line of the option and edit the line. Times are written \"500ms\",\n"
    "# \"30s\", \"5m\", \"2h\", \"7d\" or \"1w\", and a plain number is seconds. Sizes are\n"
    "# written \"64K\", \"64M\", \"1G\" or \"1T\", and a plain number is bytes.\n"
    "#\n"
    "# `kvcached -t -c FILE` reports every mistake in a file. At SIGHUP a running\n"
    "# daemon reads it again and applies what needs no restart. kvcached.conf(5) has\n"
    "# the details.\n";

static const char sample_ends[] =
    "\n"
    "# An example: sessions expire after 30 minutes and have 16M reserved, so that\n"
    "# other records cannot evict them; codes live as long as their writer says, at\n"
    "# most 10 minutes.\n"
    "#\n"
    "#   namespaces = (\n"
    "#       { name = \"sessions\"; ttl = \"30m\"; memory = \"16M\"; },\n"
    "#       { name = \"codes\"; require_ttl = true; max_ttl = \"10m\"; }\n"
    "#   );\n"
    "\n"
    "# Another: a web server on another machine, which knows a secret, reads and\n"
    "# writes sessions and reads codes; root of this machine may do everything, over\n"
    "# the Unix socket. `kvcached --hash-secret` asks for a secret and prints its\n"
    "# hash.\n"
    "#\n"
    "#   listen = (\n"
    "#       { address = \"192.0.2.7\"; tls_certificate = \"/etc/kvcached/cert.pem\";\n"
    "#         tls_key = \"/etc/kvcached/key.pem\"; },\n"
    "#       { path = \"/run/kvcached/kvcached.sock\"; mode = \"0666\"; }\n"
    "#   );\n"
    "#   users = (\n"
    "#       { name = \"web\"; secret = \"$y$j9T$...\";\n"
    "#         read = [ \"sessions\", \"codes\" ]; write = \"sessions\"; },\n"
    "#       { name = \"root\"; unix_user = \"root\"; read = \"*\"; write = \"*\"; admin = \"*\"; "
    "}\n"
    "#   );\n";

static void print_sample(void)
{
    fputs(sample_begins, stdout);
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope == SCOPE_TOP) {
            print_setting(&conf_options[i]);
        }
    }
    fputs(sample_ends, stdout);
}

/* --- the manual page ---------------------------------------------------------- */

static void print_table(enum conf_scope scope)
{
    char text[256];
    printf(".Bl -tag -width Ds\n");
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope != scope) {
            continue;
        }
        printf(".It Ic %s\n", conf_options[i].name);
        print_text("", conf_options[i].help, true);
        describe(&conf_options[i], true, text, sizeof text);
        print_text("", text, true);
    }
    printf(".El\n");
}

static bool print_table_of(const char *name)
{
    static const struct {
        const char *name;
        enum conf_scope scope;
    } scopes[] = {
        {"top\n", SCOPE_TOP},
        {"listen\n", SCOPE_LISTEN},
        {"namespaces\n", SCOPE_NAMESPACES},
        {"users\n", SCOPE_USERS},
        {"arena\n", SCOPE_ARENA},
        {"cluster\n", SCOPE_CLUSTER},
        {"metrics\n", SCOPE_METRICS},
        {"slow_log\n", SCOPE_SLOW_LOG},
        {"log\n", SCOPE_LOG},
    };
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (strcmp(scopes[i].name, name) != 0) {
            continue;
        }
        print_table(scopes[i].scope);
        return true;
    }
    return false;
}

static bool print_page(const char *file)
{
    static const char marker[] = ".\\\" options ";
    char line[1024];
    bool known = true;
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        fprintf(stderr, "conf-doc: %s: %s\n", file, strerror(errno));
        return false;
    }
    while (known && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, marker, sizeof marker - 1) == 0) {
            known = print_table_of(line + sizeof marker - 1);
        } else {
            fputs(line, stdout);
        }
    }
    if (!known) {
        fprintf(stderr, "conf-doc: %s: there is no such scope: %s", file, line);
    }
    fclose(in);
    return known;
}

int main(int argc, char **argv)
{
    bool done = false;
    if (argc == 2 && strcmp(argv[1], "sample") == 0) {
        print_sample();
        done = true;
    } else if (argc == 3 && strcmp(argv[1], "page") == 0) {
        done = print_page(argv[2]);
    } else {
        fprintf(stderr, "usage: conf-doc sample | conf-doc page FILE.in\n");
    }
    return done && fflush(stdout) == 0 ? 0 : 1;
}
