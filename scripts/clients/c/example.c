/* example.c - a session that is stored and read: example HOST:PORT */
#include <kvcached.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    struct kvc_options options = {.size = sizeof options};
    struct kvc_error error;
    struct kvc_bytes value;
    options.address = count > 1 ? arguments[1] : "127.0.0.1:7171";
    options.timeout = 2000;

    struct kvc *kvc = kvc_create(&options, &error); /* connects when it is used */
    if (kvc == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    enum kvc_result result =
        kvc_put(kvc, "sessions", kvc_text("alice"), kvc_text("hello"), 30 * 60 * 1000, 0);
    if (result == KVC_OK) {
        result = kvc_get(kvc, "sessions", kvc_text("alice"), &value);
    }
    if (result == KVC_OK) {
        printf("%.*s\n", (int)value.length, value.bytes);
    } else if (result == KVC_NOT_FOUND) {
        puts("there is no such session");
    } else {
        fprintf(stderr, "%s\n", kvc_last_error(kvc)->text);
    }
    kvc_destroy(kvc);
    return result == KVC_OK ? 0 : 1;
}
