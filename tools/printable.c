// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "array.h"
#include "printable.h"

/*
 * Characters that C libraries classify as printable, but that are invisible or change the
 * display of others: format and direction marks, fillers, tags, private use.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} hidden[] = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
	{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xd800, 0xf8ff },
	{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
	{ 0xe0000, 0x10ffff },
};

/* Classify characters by a fixed UTF-8 locale, regardless of the terminal's locale. */
static locale_t unicode(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale;
}

static bool shows(uint32_t character)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		if (character >= hidden[i].first && character <= hidden[i].last)
			return false;
	if ((character & 0xfffe) == 0xfffe)
		return false;
	return !unicode() || iswprint_l(character, unicode());
}

/* Return the length of the character at @text in bytes, or 0 if it is not valid UTF-8. */
static size_t decode(const unsigned char *text, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, n;

	if (text[0] < 0x80) {
		*character = text[0];
		return 1;
	}
	if (text[0] < 0xc0 || text[0] > 0xf7)
		return 0;
	n = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	*character = text[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (text[i] & 0x3f);
	}
	if (*character < least[n] || *character > 0x10ffff ||
	    (*character >= 0xd800 && *character <= 0xdfff))
		return 0;
	return n;
}

static bool takes_unicode(enum printable_for use)
{
	return use == PRINTABLE_JSON || !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/*
 * Write the next character, or its escape, as a string.  Return the number of bytes of @text
 * that it represents.
 */
static size_t next(const char *text, bool all, char piece[PRINTABLE_MAX + 1])
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t character;
	size_t n = decode(bytes, &character);

	if (!n) {
		snprintf(piece, PRINTABLE_MAX + 1, "\\x%02x", bytes[0]);
		return 1;
	}
	if (shows(character) && (n == 1 || all)) {
		memcpy(piece, text, n);
		piece[n] = '\0';
	} else if (n == 1) {
		snprintf(piece, PRINTABLE_MAX + 1, "\\x%02x", character);
	} else {
		snprintf(piece, PRINTABLE_MAX + 1, n < 4 ? "\\u%04x" : "\\U%08x",
			 character);
	}
	return n;
}

char *printable(char *to, size_t size, const char *text, enum printable_for use)
{
	const bool all = takes_unicode(use);
	char piece[PRINTABLE_MAX + 1];
	size_t n, length = 0;

	if (size)
		to[0] = '\0';
	while (*text) {
		text += next(text, all, piece);
		n = strlen(piece);
		if (length + n >= size)
			break;
		memcpy(to + length, piece, n + 1);
		length += n;
	}
	return to;
}

char *printable_new(const char *text, enum printable_for use)
{
	/* An escape takes at most four bytes per byte. */
	const size_t size = 4 * strlen(text) + 1;
	char *to = malloc(size);

	return to ? printable(to, size, text, use) : NULL;
}

/* Return the width of a piece from next() in columns. */
static unsigned int columns_of(const char *piece)
{
	uint32_t character = 0;
	int width;

	if (piece[1] == '\0' || piece[0] == '\\')
		return strlen(piece);
	decode((const unsigned char *)piece, &character);
	width = wcwidth(character);
	return width < 0 ? 1 : width;
}

void printable_field(FILE *to, const char *text, unsigned int columns)
{
	const bool all = takes_unicode(PRINTABLE_TERMINAL);
	char piece[PRINTABLE_MAX + 1];
	unsigned int used = 0, n;

	while (*text) {
		text += next(text, all, piece);
		n = columns_of(piece);
		if (used + n > columns)
			break;
		fputs(piece, to);
		used += n;
	}
	for (; used < columns; used++)
		fputc(' ', to);
}

void printable_end(FILE *to, const char *text, unsigned int columns)
{
	const bool all = takes_unicode(PRINTABLE_TERMINAL);
	char piece[PRINTABLE_MAX + 1];
	unsigned int width = 0;
	const char *at;

	for (at = text; *at; width += columns_of(piece))
		at += next(at, all, piece);
	if (width <= columns) {
		printable_field(to, text, columns);
		return;
	}
	while (width > columns - 1) {
		text += next(text, all, piece);
		width -= columns_of(piece);
	}
	fputc('~', to);
	printable_field(to, text, columns - 1);
}
