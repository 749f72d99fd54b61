/* Rows of cells, in a frame or separated by commas; and numbers for people. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void table_add(struct table *table, const char *cell)
{
    size_t count = table->rows++; /* of cells, until shown */
    if ((count & (count - 1)) == 0) {
        char **larger = (char **)allocate((count ? 2 * count : 1) * sizeof *larger);
        if (count)
            memcpy(larger, table->cells, count * sizeof *larger);
        free(table->cells);
        table->cells = larger;
    }
    table->cells[count] = (char *)allocate(strlen(cell) + 1);
    strcpy(table->cells[count], cell);
}

void table_free(struct table *table)
{
    size_t i;
    for (i = 0; i < table->rows; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->rows = 0;
}

void show_simple(struct table *table)
{
    size_t i;
    for (i = table->columns; i < table->rows; i++)
        printf("%s%s", table->cells[i], (i + 1) % table->columns ? ", " : "\n");
}

static void rule(const size_t *widths, size_t columns)
{
    size_t i, j;
    for (i = 0; i < columns; i++) {
        putchar('+');
        for (j = 0; j < widths[i] + 2; j++)
            putchar('-');
    }
    puts("+");
}

void show_table(struct table *table)
{
    size_t *widths = (size_t *)allocate(table->columns * sizeof *widths), i;
    memset(widths, 0, table->columns * sizeof *widths);
    for (i = 0; i < table->rows; i++)
        if (strlen(table->cells[i]) > widths[i % table->columns])
            widths[i % table->columns] = strlen(table->cells[i]);
    rule(widths, table->columns);
    for (i = 0; i < table->rows; i++) {
        char *cell = table->cells[i], *at;
        size_t width = widths[i % table->columns], space = width - strlen(cell);
        if (i < table->columns) { /* the head: in the middle, in capitals */
            for (at = cell; *at; at++)
                *at = *at == '_' ? ' ' : (char)toupper((unsigned char)*at);
            printf("| %*s%s%*s ", (int)(space / 2), "", cell, (int)(space - space / 2), "");
        } else {
            printf("| %*s ", (int)width, cell);
        }
        if ((i + 1) % table->columns == 0)
            puts("|");
        if (i + 1 == table->columns)
            rule(widths, table->columns);
    }
    if (table->rows > table->columns)
        rule(widths, table->columns);
    free(widths);
}

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The digits of a fraction, without zeros at the end: 1.5, 2. */
static size_t with_fraction(char *text, size_t room, int64_t value, int64_t unit)
{
    int64_t rest = value % unit;
    size_t len = (size_t)snprintf(text, room, rest ? "%" PRId64 "." : "%" PRId64, value / unit);
    for (; rest; rest %= unit) {
        unit /= 10;
        text[len++] = (char)('0' + rest / unit);
    }
    text[len] = '\0';
    return len;
}

char *duration_text(int64_t ns, char text[32])
{
    size_t len = 0, room = 32;
    int64_t minute = INT64_C(60000000000);
    if (ns >= 60 * minute)
        len = (size_t)snprintf(text, room, "%" PRId64 "h", ns / (60 * minute));
    if (ns >= minute)
        len += (size_t)snprintf(text + len, room - len, "%" PRId64 "m", ns / minute % 60);
    if (ns >= 1000000000) {
        len += with_fraction(text + len, room - len, ns % minute, 1000000000);
        snprintf(text + len, room - len, "s");
    } else if (ns >= 1000000) {
        len = with_fraction(text, room, ns, 1000000);
        snprintf(text + len, room - len, "ms");
    } else {
        len = with_fraction(text, room, ns, 1000);
        snprintf(text + len, room - len, "\xc2\xb5s");
    }
    return text;
}

char *size_text(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    double value;
    uint64_t whole = bytes;
    double scale = 1;
    if (bytes < 10) {
        snprintf(text, 32, "%" PRIu64 " B", bytes);
        return text;
    }
    for (; whole >= 1000; whole /= 1000, unit++)
        scale *= 1000;
    value = (double)(uint64_t)((double)bytes / scale * 10 + 0.5) / 10;
    snprintf(text, 32, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}
