/*
 * certificates.h - authorities and certificates, made when a test wants them.
 *
 * They lie in the test's scratch directory, as NAME.pem and NAME.key.
 */
#ifndef KVCACHED_TESTS_NET_CERTIFICATES_H
#define KVCACHED_TESTS_NET_CERTIFICATES_H

struct certificate {
    const char *name;       /* of its files, and its common name */
    const char *issuer;     /* the certificate that signs it; NULL: it signs itself, and others */
    const char *other_name; /* a second common name, or NULL */
    const char *common;     /* instead of the name: any bytes, of any number; or NULL */
    int common_length;
    const char *password; /* of the key, or NULL */
    long from, until;     /* seconds from now; both 0: for an hour */
};

void certificate_make(const struct certificate *certificate);

/* One that is good, and one of its own. */
void certificate_make_plain(const char *name, const char *issuer);

/* Paths of the files; good until the next eight calls. */
char *certificate_path(const char *name);
char *certificate_key_path(const char *name);

#endif
