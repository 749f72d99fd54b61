/* JSON, and text in quotes, as Go writes them. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int comma;

static void string(const char *text);

static void key_is(const char *key)
{
    if (comma)
        putchar(',');
    comma = 0;
    if (key) {
        string(key);
        putchar(':');
    }
}

void json_raw(const char *key, const char *value)
{
    key_is(key);
    fputs(value, stdout);
    comma = 1;
}

void json_open(const char *key, char bracket)
{
    key_is(key);
    putchar(bracket);
    comma = 0;
}

void json_close(char bracket)
{
    putchar(bracket);
    comma = 1;
}

void json_end(void)
{
    putchar('\n');
    comma = 0;
}

void json_number(const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    json_raw(key, text);
}

void json_int(const char *key, int64_t value)
{
    if (value)
        json_number(key, value);
}

void json_uint(const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    if (value)
        json_raw(key, text);
}

void json_bool(const char *key, int value)
{
    if (value)
        json_raw(key, "true");
}

void json_bytes(const char *key, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)data;
    size_t i;
    if (!len)
        return;
    key_is(key);
    putchar('"');
    for (i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t three = (uint32_t)bytes[i] << 16;
        if (n > 1)
            three |= (uint32_t)bytes[i + 1] << 8;
        if (n > 2)
            three |= bytes[i + 2];
        putchar(digits[three >> 18]);
        putchar(digits[three >> 12 & 63]);
        putchar(n > 1 ? digits[three >> 6 & 63] : '=');
        putchar(n > 2 ? digits[three & 63] : '=');
    }
    putchar('"');
    comma = 1;
}

/* The length of the UTF-8 character at `at`, and which it is; 0 if it is none. */
static size_t character(const unsigned char *at, size_t left, uint32_t *which)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0, i;
    if (!len || len > left)
        return 0;
    *which = len == 1 ? at[0] : at[0] & (0x7fu >> len);
    for (i = 1; i < len; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        *which = *which << 6 | (at[i] & 63u);
    }
    return *which < least[len] || *which > 0x10ffff || (*which >> 11 == 27) ? 0 : len;
}

static void string(const char *text)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    putchar('"');
    while (at < end) {
        uint32_t which = 0;
        size_t len = character(at, (size_t)(end - at), &which);
        if (!len)
            fputs("\\ufffd", stdout);
        else if (which == '"' || which == '\\')
            printf("\\%c", (char)which);
        else if (which == '\n' || which == '\r' || which == '\t')
            fputs(which == '\n' ? "\\n" : which == '\r' ? "\\r" : "\\t", stdout);
        else if (which < 0x20 || which == '<' || which == '>' || which == '&' || which == 0x2028 || which == 0x2029)
            printf("\\u%04" PRIx32, which);
        else
            fwrite(at, 1, len, stdout);
        at += len ? len : 1;
    }
    putchar('"');
}

void json_text(const char *key, const char *text)
{
    if (!*text)
        return;
    key_is(key);
    string(text);
    comma = 1;
}

void out_quoted(const void *bytes, size_t len)
{
    static const char letters[] = "abtnvfr"; /* from 7 on */
    const unsigned char *at = (const unsigned char *)bytes, *end = at + len;
    putchar('"');
    while (at < end) {
        uint32_t which = 0;
        size_t n = character(at, (size_t)(end - at), &which);
        if (!n)
            printf("\\x%02x", *at);
        else if (which == '"' || which == '\\')
            printf("\\%c", (char)which);
        else if (which >= 7 && which <= 13)
            printf("\\%c", letters[which - 7]);
        else if (which < 0x20 || which == 0x7f)
            printf("\\x%02x", (unsigned)which);
        else if (which >= 0x80 && which < 0xa1)
            printf("\\u%04" PRIx32, which);
        else
            fwrite(at, 1, n, stdout);
        at += n ? n : 1;
    }
    putchar('"');
}
