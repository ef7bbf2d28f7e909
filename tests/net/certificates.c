/*
 * certificates.c - see certificates.h.
 */
#include "tests/net/certificates.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/scratch.h"

enum { HOUR = 3600, NAME_MAX_BYTES = 64 };

char *certificate_path(const char *name)
{
    char file[NAME_MAX_BYTES];
    snprintf(file, sizeof file, "%s.pem", name);
    return (char *)(uintptr_t)scratch_path(file);
}

char *certificate_key_path(const char *name)
{
    char file[NAME_MAX_BYTES];
    snprintf(file, sizeof file, "%s.key", name);
    return (char *)(uintptr_t)scratch_path(file);
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    ck_assert_ptr_nonnull(file);
    return file;
}

static X509 *read_certificate(const char *name)
{
    FILE *file = open_file(certificate_path(name), "r");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    ck_assert_ptr_nonnull(certificate);
    return certificate;
}

static EVP_PKEY *read_key(const char *name)
{
    FILE *file = open_file(certificate_key_path(name), "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    ck_assert_ptr_nonnull(key);
    return key;
}

static void write_both(const struct certificate *of, X509 *made, EVP_PKEY *key)
{
    FILE *file = open_file(certificate_path(of->name), "w");
    ck_assert_int_eq(PEM_write_X509(file, made), 1);
    fclose(file);
    file = open_file(certificate_key_path(of->name), "w");
    const EVP_CIPHER *cipher = of->password == NULL ? NULL : EVP_aes_128_cbc();
    const unsigned char *password = (const unsigned char *)of->password;
    int length = of->password == NULL ? 0 : (int)strlen(of->password);
    ck_assert_int_eq(PEM_write_PrivateKey(file, key, cipher, password, length, NULL, NULL), 1);
    fclose(file);
}

static void add_name(X509_NAME *subject, const char *name)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
}

/* Of a type of its own, no rule is asked what a common name should be. */
static void add_bytes(X509_NAME *subject, const char *bytes, int length)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                                (const unsigned char *)bytes, length, -1, 0),
                     1);
}

static void say_whether_authority(X509 *made, const char *words)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, words);
    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(made, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void certificate_make(const struct certificate *of)
{
    X509 *made = X509_new();
    EVP_PKEY *key = make_key();
    uint32_t serial;
    ck_assert_int_eq(RAND_bytes((unsigned char *)&serial, sizeof serial), 1);
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(made), of->from == 0 ? -HOUR : of->from);
    X509_gmtime_adj(X509_getm_notAfter(made), of->until == 0 ? HOUR : of->until);
    X509_set_pubkey(made, key);
    if (of->common != NULL) {
        add_bytes(X509_get_subject_name(made), of->common, of->common_length);
    } else {
        add_name(X509_get_subject_name(made), of->name);
    }
    if (of->other_name != NULL) {
        add_name(X509_get_subject_name(made), of->other_name);
    }
    say_whether_authority(made, of->issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    X509 *issuer = of->issuer == NULL ? NULL : read_certificate(of->issuer);
    EVP_PKEY *signer = of->issuer == NULL ? NULL : read_key(of->issuer);
    X509_set_issuer_name(made, X509_get_subject_name(issuer == NULL ? made : issuer));
    ck_assert_int_gt(X509_sign(made, signer == NULL ? key : signer, EVP_sha256()), 0);
    write_both(of, made, key);
    X509_free(issuer);
    EVP_PKEY_free(signer);
    X509_free(made);
    EVP_PKEY_free(key);
}

void certificate_make_plain(const char *name, const char *issuer)
{
    certificate_make(&(struct certificate){.name = name, .issuer = issuer});
}
