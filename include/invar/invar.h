// SPDX-License-Identifier: Apache-2.0
// libinvar: does everything that a Windows kernel says about its processes agree?
//
//	struct invar_error error;
//	struct invar *invar = invar_open("MEMORY.DMP", NULL, &error);
//	char *report = invar ? invar_check(invar, &error) : NULL;
//	if (!report)
//		fprintf(stderr, "%s\n", error.text);
//	else
//		puts(report);
//	invar_free(report);
//	invar_close(invar);
//
// Nothing is kept in global variables: handles may be used in different threads, each handle by one thread at a time.
// Images come from attackers; a program that opens them should lock itself in first, as the `invar` program does.
#ifndef INVAR_INVAR_H
#define INVAR_INVAR_H

#ifdef __cplusplus
extern "C" {
#endif

#define INVAR_API __attribute__((visibility("default")))

// The version of the library, "0.1.0".
INVAR_API const char *invar_version(void);

enum invar_code {
	INVAR_OK = 0,
	INVAR_IO,          // the operating system refused
	INVAR_FORMAT,      // the image or a symbol table contradicts its own format
	INVAR_UNSUPPORTED, // sound, but of a kind that is not read
	INVAR_NO_KERNEL,   // no Windows kernel was found in the image
	INVAR_INTERNAL,    // a fault of the library
};

struct invar_error {
	enum invar_code code;
	char text[1024]; // one sentence without a line end; names file, offset, expected and found where there are such
};

struct invar_options {
	const char *symbols; // an ISF table or a folder of them; NULL: only the built-in facts
	// Receives diagnostics, one line each, without a line end. NULL: none are wanted.
	void (*log)(void *context, const char *line);
	void *log_context;
};

struct invar;

// Opens an image and finds the kernel in it. `options` and `error` may be NULL. NULL on failure. The image file must not
// change while it is open: it is mapped, not copied.
INVAR_API struct invar *invar_open(const char *path, const struct invar_options *options, struct invar_error *error);
INVAR_API void invar_close(struct invar *invar); // NULL is allowed

// What was opened and what is known of its kernel, as a JSON text (`invar info --format json`). Release it with invar_free().
// NULL on failure.
INVAR_API char *invar_info(struct invar *invar, struct invar_error *error);

// Collects, judges, reports: the JSON text of `invar check --format json`, described by docs/schema.json. Release it with
// invar_free(). NULL on failure.
INVAR_API char *invar_check(struct invar *invar, struct invar_error *error);

INVAR_API void invar_free(char *text); // NULL is allowed

#ifdef __cplusplus
}
#endif

#endif
