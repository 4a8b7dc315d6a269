/* Reads URLs, one a line in hexadecimal, and prints how libpq reads each:
 * "refused", or host, port, user, password and dbname in hexadecimal, "-" where not set.
 * With --keywords: prints the parameters that this libpq knows. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fields[] = {"host", "port", "user", "password", "dbname"};

static void print_field(const PQconninfoOption *options, const char *keyword) {
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        if (strcmp(option->keyword, keyword) != 0) continue;
        if (!option->val) break;
        putchar('=');
        for (const unsigned char *c = (const unsigned char *)option->val; *c; c++) printf("%02x", *c);
        return;
    }
    putchar('-');
}

static int keywords(void) {
    PQconninfoOption *options = PQconndefaults();
    if (!options) return 1;
    for (PQconninfoOption *option = options; option->keyword; option++) puts(option->keyword);
    PQconninfoFree(options);
    return 0;
}

int main(int argc, char **argv) {
    static char line[65536];
    static char url[32768];
    if (argc > 1 && strcmp(argv[1], "--keywords") == 0) return keywords();
    while (fgets(line, sizeof line, stdin)) {
        size_t length = strcspn(line, "\n") / 2;
        for (size_t i = 0; i < length; i++) {
            char digits[3] = {line[2 * i], line[2 * i + 1], 0};
            url[i] = (char)strtol(digits, NULL, 16);
        }
        url[length] = 0;
        char *error = NULL;
        PQconninfoOption *options = PQconninfoParse(url, &error);
        if (!options) {
            puts("refused");
            PQfreemem(error);
            continue;
        }
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            if (i) putchar(' ');
            print_field(options, fields[i]);
        }
        putchar('\n');
        PQconninfoFree(options);
    }
    return 0;
}
