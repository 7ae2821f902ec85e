// SPDX-License-Identifier: Apache-2.0
// The program: reads the command line, opens what is needed, locks itself in, runs one command.
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/sandbox.h"

static const struct inv_command commands[] = {
    {"check", "IMAGE", "collect, judge, report: the main job; 'invar IMAGE' means the same", 1, 1, true, true,
     inv_run_check},
    {"info", "IMAGE", "format, machine, kernel, which facts apply and how surely", 1, 1, true, false, inv_run_info},
    {"ps", "IMAGE", "processes, and which witnesses saw them", 1, 1, true, true, inv_run_ps},
    {"threads", "IMAGE [PID]", "threads of all processes or of one", 1, 2, true, true, inv_run_threads},
    {"handles", "IMAGE [PID]", "handles of all processes or of one", 1, 2, true, true, inv_run_handles},
    {"modules", "IMAGE", "loaded kernel modules", 1, 1, true, true, inv_run_modules},
    {"process", "IMAGE PID|ADDR", "everything known of one process: its dossier", 2, 2, true, true, inv_run_process},
    {"dt", "IMAGE TYPE [ADDR]", "a structure as a debugger shows it", 2, 3, true, true, inv_run_dt},
    {"explain", "[ID]", "the catalogue of invariants, or one of them in full", 0, 1, false, false, inv_run_explain},
    {"witnesses", "", "the catalogue of witnesses and their tiers", 0, 0, false, false, inv_run_witnesses},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void usage(FILE *file)
{
	fputs("usage: invar COMMAND [OPTION]... [ARGUMENT]...\n\n", file);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(file, "  %-9s %-18s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	fputs("\n  --format text|json|ndjson|csv   form of the result (text)\n"
	      "  -o, --output FILE               write the result to FILE\n"
	      "  --symbols PATH                  an ISF table (.json, .json.xz), or a folder of them\n"
	      "  --all                           ps, threads: also what only a sweep over all memory finds\n"
	      "  --threads N                     how many threads may work\n"
	      "  --color auto|always|never       colours in text (auto; NO_COLOR is heeded)\n"
	      "  -q, --quiet                     no warnings\n"
	      "  -v, --verbose                   say what is done; twice: in detail\n"
	      "  --no-sandbox                    do not lock the program in before it reads the image\n"
	      "  --help, --version\n\n"
	      "Status: 0 nothing broken, 1 an invariant is broken, 2 usage, 3 no image or kernel, 4 stopped.\n",
	      file);
}

static INV_PRINTF(1, 2) enum inv_exit wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("invar: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'invar --help'.\n", stderr);
	return INV_EXIT_USAGE;
}

static void write_log(void *context, enum inv_log_level level, const char *line)
{
	(void)context;
	fputs(level == INV_LOG_WARNING ? "invar: warning: " : "invar: ", stderr);
	inv_write_safe(stderr, line);
	putc('\n', stderr);
}

bool inv_parse_number(const char *text, uint64_t *number)
{
	char *end;
	bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hexadecimal ? text + 2 : text;
	if (!strchr("0123456789abcdefABCDEF", *digits) || !*digits)
		return false;
	errno = 0;
	*number = strtoull(digits, &end, hexadecimal ? 16 : 10);
	return *end == 0 && errno == 0;
}

static bool parse_format(const char *text, struct inv_options *options)
{
	static const char *const names[] = {"text", "json", "ndjson", "csv"};
	options->markdown = strcmp(text, "markdown") == 0;
	if (options->markdown)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i]) == 0) {
			options->output = (enum inv_output)i;
			return true;
		}
	}
	return false;
}

static bool parse_color(const char *text, struct inv_options *options)
{
	const char *no_color = getenv("NO_COLOR"); // https://no-color.org: present and not empty
	if (strcmp(text, "always") == 0)
		options->color = true;
	else if (strcmp(text, "never") == 0)
		options->color = false;
	else if (strcmp(text, "auto") == 0)
		options->color = !options->file && isatty(STDOUT_FILENO) && !(no_color && *no_color);
	else
		return false;
	return true;
}

enum long_option {
	OPT_FORMAT = 256,
	OPT_SYMBOLS,
	OPT_ALL,
	OPT_THREADS,
	OPT_COLOR,
	OPT_NO_SANDBOX,
	OPT_HELP,
	OPT_VERSION
};

// Fills `options`; returns false with *status set when the program is to end now.
static bool parse(int argc, char **argv, struct inv_options *options, enum inv_exit *status)
{
	static const struct option longs[] = {
	    {"format", required_argument, NULL, OPT_FORMAT},
	    {"output", required_argument, NULL, 'o'},
	    {"symbols", required_argument, NULL, OPT_SYMBOLS},
	    {"all", no_argument, NULL, OPT_ALL},
	    {"threads", required_argument, NULL, OPT_THREADS},
	    {"color", required_argument, NULL, OPT_COLOR},
	    {"quiet", no_argument, NULL, 'q'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
	    {"help", no_argument, NULL, OPT_HELP},
	    {"version", no_argument, NULL, OPT_VERSION},
	    {0},
	};
	const char *color = "auto";
	*options = (struct inv_options){.sandbox = true};
	*status = INV_EXIT_USAGE;
	int option;
	while ((option = getopt_long(argc, argv, "o:qvh", longs, NULL)) != -1) {
		uint64_t number;
		switch (option) {
		case OPT_FORMAT:
			if (!parse_format(optarg, options)) {
				*status = wrong("unknown format '%s'", optarg);
				return false;
			}
			break;
		case 'o':
			options->file = optarg;
			break;
		case OPT_SYMBOLS:
			options->symbols = optarg;
			break;
		case OPT_ALL:
			options->all = true;
			break;
		case OPT_THREADS:
			if (!inv_parse_number(optarg, &number) || number < 1 || number > 1024) {
				*status = wrong("'%s' is no number of threads from 1 to 1024", optarg);
				return false;
			}
			options->threads = (unsigned)number;
			break;
		case OPT_COLOR:
			color = optarg;
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'v':
			options->verbose++;
			break;
		case OPT_NO_SANDBOX:
			options->sandbox = false;
			break;
		case 'h':
		case OPT_HELP:
			usage(stdout);
			*status = INV_EXIT_OK;
			return false;
		case OPT_VERSION:
			puts("invar " INV_VERSION);
			*status = INV_EXIT_OK;
			return false;
		default:
			fputs("Try 'invar --help'.\n", stderr);
			return false;
		}
	}
	if (!parse_color(color, options)) {
		*status = wrong("'%s' is none of auto, always, never", color);
		return false;
	}
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	return true;
}

// The command that the first argument names. A file of any other name means 'check'.
static const struct inv_command *choose(struct inv_options *options)
{
	if (options->argument_count == 0)
		return NULL;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(options->arguments[0], commands[i].name) == 0) {
			options->arguments++;
			options->argument_count--;
			return &commands[i];
		}
	}
	return access(options->arguments[0], F_OK) == 0 ? &commands[0] : NULL;
}

static enum inv_exit fail(const struct inv_error *error)
{
	fputs("invar: ", stderr);
	inv_write_safe(stderr, error->text);
	putc('\n', stderr);
	switch (error->code) {
	case INV_E_USAGE:
		return INV_EXIT_USAGE;
	case INV_E_IO:
	case INV_E_FORMAT:
	case INV_E_UNSUPPORTED:
	case INV_E_NO_KERNEL:
		return INV_EXIT_IMAGE;
	case INV_OK:
	case INV_E_INTERRUPTED:
	case INV_E_INTERNAL:
		break;
	}
	return INV_EXIT_STOPPED;
}

static enum inv_code lock_in(const struct inv_session *session, struct inv_error *error)
{
	if (!session->options->sandbox)
		return INV_OK;
	struct inv_sandbox_options options = {.log = session->log};
	struct inv_sandbox_state state;
	return inv_sandbox_enter(&options, &state, error);
}

// Opens everything by path; nothing of it is read yet.
static enum inv_code open_all(struct inv_session *session, const struct inv_command *command, struct inv_error *error)
{
	const struct inv_options *options = session->options;
	enum inv_code code = INV_OK;
	if (command->needs_image)
		code = inv_image_open_file(options->arguments[0], session->log, &session->image, error);
	if (code == INV_OK && options->symbols)
		code = inv_symbols_open(options->symbols, session->log, &session->symbols, error);
	if (code == INV_OK && options->file) {
		session->out = fopen(options->file, "we");
		if (!session->out)
			code = inv_fail(error, INV_E_USAGE, "cannot write %s: %s", options->file, strerror(errno));
	}
	return code;
}

static enum inv_code read_image(struct inv_session *session, const struct inv_command *command, struct inv_error *error)
{
	if (!command->needs_image)
		return INV_OK;
	enum inv_code code = inv_image_recognise(session->image, error);
	if (code != INV_OK)
		return code;
	struct inv_kernel_options options = {.symbols = session->symbols, .log = session->log};
	code = inv_kernel_identify(session->image, &options, &session->kernel, error);
	// What the format's header says is worth showing even without a kernel that can be read.
	bool shown = !command->needs_kernel && (code == INV_E_NO_KERNEL || code == INV_E_UNSUPPORTED);
	if (shown)
		session->no_kernel = *error;
	return shown ? INV_OK : code;
}

static enum inv_exit run(struct inv_session *session, const struct inv_command *command)
{
	struct inv_error error = {0};
	if (open_all(session, command, &error) != INV_OK || lock_in(session, &error) != INV_OK ||
	    read_image(session, command, &error) != INV_OK)
		return fail(&error);
	enum inv_exit status = command->run(session, &error);
	if (error.code != INV_OK)
		return fail(&error);
	if (fflush(session->out) != 0 || ferror(session->out)) {
		inv_fail(&error, INV_E_INTERNAL, "the result could not be written: %s", strerror(errno));
		return fail(&error);
	}
	return status;
}

static void close_all(struct inv_session *session)
{
	inv_kernel_free(session->kernel);
	inv_symbols_close(session->symbols);
	inv_image_close(session->image);
	if (session->out != stdout && session->out)
		fclose(session->out);
}

// A file that shrinks while it is mapped, or a disk that fails, ends in SIGBUS. Nothing can be read on, but it is said.
static void on_bus_error(int signal_number)
{
	static const char message[] = "invar: the image could no longer be read (it was truncated, or the disk failed)\n";
	(void)signal_number;
	ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
	(void)written;
	_exit(INV_EXIT_STOPPED);
}

static void on_interrupt(int signal_number)
{
	static const char message[] = "invar: interrupted\n";
	(void)signal_number;
	ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
	(void)written;
	_exit(INV_EXIT_STOPPED);
}

int main(int argc, char **argv)
{
	signal(SIGBUS, on_bus_error);
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
#ifdef M_MMAP_THRESHOLD
	// Large arrays that are given back are given back to the system, and grow without being copied.
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
	struct inv_options options;
	enum inv_exit status;
	if (!parse(argc, argv, &options, &status))
		return (int)status;
	if (options.argument_count == 0) {
		usage(stderr);
		return INV_EXIT_USAGE;
	}
	const struct inv_command *command = choose(&options);
	if (!command)
		return (int)wrong("'%s' is neither a command nor a file", options.arguments[0]);
	if (options.argument_count < command->minimum || options.argument_count > command->maximum)
		return (int)wrong("wrong number of arguments for '%s'", command->name);
	if (options.markdown && command->needs_image)
		return (int)wrong("format 'markdown' is not for '%s'", command->name);
	struct inv_log log = {.write = write_log};
	log.level = options.verbose > 1 ? INV_LOG_DEBUG : options.verbose ? INV_LOG_INFO : INV_LOG_WARNING;
	struct inv_session session = {.options = &options, .log = options.quiet ? NULL : &log, .out = stdout};
	status = run(&session, command);
	close_all(&session);
	return (int)status;
}
