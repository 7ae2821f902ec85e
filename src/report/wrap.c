// SPDX-License-Identifier: Apache-2.0
#include "report/wrap.h"

#include <stdlib.h>
#include <string.h>

#include "report/table.h"

// Characters, not bytes.
static unsigned columns_of(const char *text, size_t size)
{
	unsigned columns = 0;
	for (size_t i = 0; i < size; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

static void write_words(FILE *file, const char *text, unsigned at, unsigned hang, unsigned width)
{
	for (bool first = true; *text; first = false) {
		size_t blanks = strspn(text, " "), size = strcspn(text + blanks, " ");
		unsigned columns = columns_of(text + blanks, size);
		if (!first && at + blanks + columns > width && at > hang) {
			fprintf(file, "\n%*s", (int)hang, "");
			at = hang;
		} else {
			fprintf(file, "%*s", (int)blanks, "");
			at += (unsigned)blanks;
		}
		fwrite(text + blanks, 1, size, file);
		at += columns;
		text += blanks + size;
	}
}

void inv_write_wrapped(FILE *file, const char *text, unsigned at, unsigned hang, unsigned width)
{
	char *safe = NULL;
	size_t size = 0;
	FILE *memory = width ? open_memstream(&safe, &size) : NULL;
	if (!memory) {
		inv_write_safe(file, text);
		putc('\n', file);
		return;
	}
	inv_write_safe(memory, text);
	fclose(memory);
	write_words(file, safe, at, hang, width);
	putc('\n', file);
	free(safe);
}
