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
//
// Memory that the system refuses ends the program, and so does an image whose file shrinks while it is open (SIGBUS).
#ifndef INVAR_INVAR_H
#define INVAR_INVAR_H

#include <stdint.h>

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
	INVAR_USAGE,       // what was asked for does not exist: no such process, type, invariant, listing
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

// How far the call that runs on this handle is, for another thread to show.
struct invar_progress {
	const char *what;     // what is done, "memory is swept"; NULL: nothing
	uint64_t done, total; // in units of what is done; total is 0 where it is not known
};
INVAR_API void invar_progress(struct invar *invar, struct invar_progress *progress);

// Has the invar_check() that runs on this handle end soon: its report holds what was found until then, and says that it was cut
// short. Does nothing if none runs. This function and invar_progress() alone may be called while another thread uses the
// handle, and this one by a signal handler, too.
INVAR_API void invar_interrupt(struct invar *invar);

// How many threads may work at once; 0, as at first: as many as there are CPUs. Results are the same for any number.
INVAR_API void invar_set_threads(struct invar *invar, unsigned threads);

// Flags of invar_list().
#define INVAR_ALL 1u // what only a pass over all memory finds, too (`--all`)

// What a command of the program lists, without judging it: the JSON text of `invar LISTING --format json IMAGE [WHICH]`.
// `listing` is "ps", "tree", "threads", "handles", "power", "tokens", "sessions", "modules", "callbacks", "vads" or "process", the
// dossier of one process (docs/process.schema.json), for which everything is judged. `which` is a process, by its PID in
// decimal or its address in hexadecimal with 0x; NULL: all of them. Release the text with invar_free(). NULL on failure.
INVAR_API char *invar_list(struct invar *invar, const char *listing, const char *which, unsigned flags,
                           struct invar_error *error);

// A structure as a debugger shows it, "_EPROCESS": where each field stands in this kernel and, unless `address` is 0, what it
// holds there. The JSON text of `invar dt --format json`. Release it with invar_free(). NULL on failure.
INVAR_API char *invar_structure(struct invar *invar, const char *type, uint64_t address, struct invar_error *error);

// The catalogues, for which no image is needed: one invariant by its identifier, "L03", or with NULL an array of all; all
// witnesses. The JSON texts of `invar explain` and `invar witnesses`. Release them with invar_free(). NULL on failure.
INVAR_API char *invar_explain(const char *id, struct invar_error *error);
INVAR_API char *invar_witnesses(struct invar_error *error);

INVAR_API void invar_free(char *text); // NULL is allowed

#ifdef __cplusplus
}
#endif

#endif
