// SPDX-License-Identifier: Apache-2.0
// Prints which invariants an image breaks, and of what. The status is that of `invar check`.
//
//	cc check.c $(pkg-config --cflags --libs invar jansson) -o check
#include <invar/invar.h>
#include <jansson.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s IMAGE\n", argv[0]);
		return 2;
	}
	struct invar_error error = {0};
	struct invar *invar = invar_open(argv[1], NULL, &error);
	char *text = invar ? invar_check(invar, &error) : NULL;
	invar_close(invar);
	json_t *report = text ? json_loads(text, 0, NULL) : NULL;
	invar_free(text);
	if (!report) {
		fprintf(stderr, "%s\n", error.text);
		return 3;
	}
	size_t i;
	json_t *finding, *findings = json_object_get(report, "findings");
	json_array_foreach(findings, i, finding)
	{
		const char *id = NULL, *kind = NULL, *address = NULL;
		json_unpack(finding, "{s:s, s:{s:s, s?s}}", "id", &id, "subject", "kind", &kind, "address", &address);
		printf("%s %s %s\n", id, kind, address ? address : "-"); // names are the image's: escape what a terminal obeys
	}
	int status = json_array_size(findings) > 0;
	json_decref(report);
	return status;
}
