// SPDX-License-Identifier: Apache-2.0
// The program: reads the command line, opens what is needed, locks itself in, runs one command.
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/command.h"
#include "cli/extract.h"
#include "cli/patterns.h"
#include "cli/replace.h"
#include "cli/sandbox.h"
#include "cli/watch.h"
#include "report/database.h"
#include "report/wrap.h"

#define KEEP_FREE (16 << 20) // bytes

#define NAMES_A_PROCESS                                                                                                \
	"A process is named by its PID in decimal, or by the address of its EPROCESS in hexadecimal with 0x, as in the\n"  \
	"columns of 'invar ps'. One that no list leads to is looked for in all memory.\n"

static const struct inv_command commands[] = {
    {"check", "IMAGE", "collect, judge, report: the main job; 'invar IMAGE' means the same", 1, 1, true, true,
     inv_run_check, false,
     "Status 1 says that an invariant is broken. 'invar explain ID' tells why it must hold.\n\n"
     "  invar MEMORY.DMP\n"
     "  invar check --format json -o report.json memory.raw\n"
     "  invar check --format html -o report.html memory.raw\n"
     "  invar check --format sqlite -o case.db memory.raw         adds the image to a database of several\n"
     "  invar check --format navigator -o layer.json memory.raw   a layer for the ATT&CK Navigator\n"
     "  invar check --format stix memory.raw                      a STIX 2.1 bundle\n"
     "  invar check --yara rules.yar --yara more.yar memory.raw\n"},
    {"info", "IMAGE", "format, machine, kernel, which facts apply and how surely", 1, 1, true, false, inv_run_info,
     false, "  invar info -v memory.raw\n"},
    {"ps", "IMAGE", "processes, and which witnesses saw them", 1, 1, true, true, inv_run_ps, false,
     "  invar ps memory.raw\n"
     "  invar ps --all memory.raw          what deleted processes left, too\n"},
    {"tree", "IMAGE", "processes beneath their parents, as far as these are proved", 1, 1, true, true, inv_run_tree,
     false,
     "Depth first, children by age. A process is another's parent if it has the PID that the child notes and was "
     "there\n"
     "before it, by SequenceNumber or, where a kernel has none, by time: PIDs are given out again. The others stand at "
     "the\n"
     "left, with the reason. Zombies and hidden processes are in their place; with --all, what deleted ones left is "
     "too.\n"
     "\n  invar tree memory.raw\n"
     "  invar tree --all memory.raw\n"},
    {"process", "IMAGE PID|ADDR", "everything known of one process: its dossier", 2, 2, true, true, inv_run_process,
     false,
     "Runs the whole check, then shows one process: who it is by every record, who sees it, its image, what it says "
     "of\n"
     "itself, threads, memory, modules, handles, and every verdict about it.\n" NAMES_A_PROCESS
     "\n  invar process memory.raw 4711\n"
     "  invar process --format json memory.raw 0xffffe28c1a2b3080\n"},
    {"threads", "IMAGE [PID|ADDR]", "threads of all processes or of one", 1, 2, true, true, inv_run_threads, false,
     "  invar threads memory.raw 4711\n"},
    {"handles", "IMAGE [PID|ADDR]", "handles of all processes or of one", 1, 2, true, true, inv_run_handles, false,
     "  invar handles --format csv memory.raw 4711\n"},
    {"power", "IMAGE [PID|ADDR]", "who can take over whom by the handles that are open", 1, 2, true, true,
     inv_run_power, false,
     "One line for each process that has another one, or threads of it, open with rights to run code in it, to read it "
     "or\n"
     "to stop it; with a process: only what it holds, or what is held of it. First those that reach into a protected\n"
     "process, then those from which a chain of such handles leads to one (column 'chain'), then those that leave "
     "their\n"
     "session. At the end processes that have exited and who keeps them: that they ran is proved by their being "
     "there.\n"
     "What the kernel itself has open is left out. A listing: that something is open proves no guilt.\n" NAMES_A_PROCESS
     "\n  invar power memory.raw\n"
     "  invar power --format ndjson memory.raw | jq -c 'select(.crosses != \"\")'\n"},
    {"tokens", "IMAGE [PID|ADDR]", "access tokens of all processes, or all that stands in that of one", 1, 2, true,
     true, inv_run_tokens, false,
     "One line for each token that a process, a thread that impersonates or a handle leads to: whose it is, its level "
     "of\n"
     "integrity, session and logon session, its privileges as bits, and what is unusual. With a process: its tokens, "
     "and\n"
     "of its own one all SIDs and privileges, these with what they are good for. With --all: one line for each SID of\n"
     "the primary tokens of all processes, or of that one.\n" NAMES_A_PROCESS "\n  invar tokens memory.raw\n"
     "  invar tokens --all --format csv memory.raw\n"
     "  invar tokens --format json memory.raw 4711\n"},
    {"sessions", "IMAGE", "sessions with their processes, jobs with those within them, and silos", 1, 1, true, true,
     inv_run_sessions, false,
     "Per session: its leader and its csrss, as far as the kernel's own pointers prove them (by address, never by "
     "name),\n"
     "and whose page tables show its memory. Per process: its class (native, console, gui, headless, graphics, "
     "service,\n"
     "container, minimal; by structure, never by a name), whether it has a GUI and graphics, and whether csrss knows "
     "it;\n"
     "where not, why (native, minimal, clone, not started, exited). Then the jobs, each under the one it is within.\n"
     "CSV has only the processes.\n\n  invar sessions memory.raw\n"
     "  invar sessions --format json memory.raw | jq .jobs\n"},
    {"modules", "IMAGE [PID|ADDR]", "modules of the kernel, or of one process by three witnesses", 1, 2, true, true,
     inv_run_modules, false,
     "Without a process: what the kernel has loaded. With one: what its VADs map as image, what each of the loader's\n"
     "lists names, and where a PE header stands in memory, side by side.\n" NAMES_A_PROCESS
     "\n  invar modules memory.raw\n"
     "  invar modules memory.raw 4711\n"},
    {"callbacks", "IMAGE", "what is registered to watch processes, and signs of its removal", 1, 1, true, true,
     inv_run_callbacks, false,
     "One line for each routine: of what kind, in which module and beneath which export, whether it can only observe "
     "or\n"
     "also block, and how its code begins; those of bug checks, shut-down, file systems, debug prints and devices, "
     "too.\n"
     "Then what speaks for somebody's having removed routines, and the code of those that begin oddly. With --all "
     "also\n"
     "methods of object types that are plain code of the kernel, and what pool still holds of routines, with what "
     "leads\n"
     "there.\n"
     "\n  invar callbacks memory.raw\n"
     "  invar callbacks --format json memory.raw | jq .signs_of_removal\n"},
    {"vads", "IMAGE [PID|ADDR]", "ranges of memory of all processes or of one", 1, 2, true, true, inv_run_vads, false,
     "One line for each virtual address descriptor: its range (the end is the first byte behind it), what it allows "
     "and\n"
     "maps, how many pages of which kind are there, and what is remarkable. Valid pages that no descriptor covers get "
     "a\n"
     "line of their own, of kind 'no VAD'.\n" NAMES_A_PROCESS "\n  invar vads memory.raw 4711\n"
     "  invar vads --format ndjson memory.raw | jq -c 'select(.kind == \"private\" and .executable > 0)'\n"},
    {"extract", "IMAGE PID|ADDR", "memory of a process to files", 2, 2, true, true, inv_run_extract, true,
     "One of these says what, -o says where to:\n"
     "  --range START-END   from START up to, and without, END\n"
     "  --vad ADDR          the range that holds ADDR, or whose descriptor stands at ADDR\n"
     "  --module NAME|BASE  one image as it is mapped\n"
     "  --all               every range of which memory has a page; -o names a folder\n"
     "Absent pages become zeros. FILE.json, or extract.json in the folder, tells which they are and why, and gives\n"
     "SHA-256 of the files, and of what was there. In a folder only new files are made.\n" NAMES_A_PROCESS
     "\n  invar extract memory.raw 4711 --range 0x7ff612340000-0x7ff612350000 -o code.bin\n"
     "  invar extract memory.raw 4711 --module ntdll.dll -o ntdll.bin\n"
     "  invar extract memory.raw 4711 --all -o pages/\n"},
    {"dt", "IMAGE TYPE [ADDR]", "a structure as a debugger shows it", 2, 3, true, true, inv_run_dt, false,
     "TYPE may go on with a path through members and what pointers lead to: _EPROCESS.Peb->ProcessParameters.\n"
     "  --depth N            show what is nested in it, too, N levels deep\n"
     "  --follow             what typed pointers lead to counts as nested\n"
     "  --list MEMBER        go along the list that MEMBER links the structure into, and show each (its head shows as "
     "one\n"
     "                       of them, unless it stands in a module)\n"
     "  --process PID|ADDR   whose user memory is read; else that of the first _EPROCESS on the way\n"
     "Without --symbols only what Invar itself reads is known of a type.\n"
     "\n  invar dt memory.raw _EPROCESS 0xffffe28c1a2b3080\n"
     "  invar dt memory.raw '_EPROCESS.Peb->ProcessParameters' 0xffffe28c1a2b3080\n"
     "  invar dt memory.raw _EPROCESS 0xffffe28c1a2b3080 --depth 2 --symbols ntkrnlmp.json.xz\n"
     "  invar dt memory.raw _EPROCESS.UniqueProcessId 0xffffe28c1a2b3080 --list ActiveProcessLinks\n"},
    {"explore", "IMAGE", "the same in a terminal: processes, findings, dossiers, structures, memory", 1, 1, true, true,
     inv_run_explore, false,
     "Runs the whole check, then shows processes by witnesses, findings, dossiers, structures and memory, page by "
     "page.\n"
     "Keys: arrows, Enter, Esc; / searches, ? tells the others. While the check runs, q stops it and shows what it "
     "has.\n\n"
     "  invar explore memory.raw\n"
     "  invar explore --symbols ntkrnlmp.json.xz memory.raw\n"},
    {"explain", "[ID]", "the catalogue of invariants, or one of them in full", 0, 1, false, false, inv_run_explain,
     false, "  invar explain L10\n"},
    {"witnesses", "", "the catalogue of witnesses and their tiers", 0, 0, false, false, inv_run_witnesses, false,
     "  invar witnesses\n"
     "  invar witnesses --format csv\n"},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void usage(FILE *file)
{
	fputs("usage: invar COMMAND [OPTION]... [ARGUMENT]...\n\n", file);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(file, "  %-9s %-18s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	fputs("\n  --format text|json|ndjson|csv|html|sqlite|navigator|stix  form of the result (text); the last four: "
	      "check\n"
	      "  -o, --output FILE               write the result to FILE; extract: the memory, to FILE or a folder\n"
	      "  --symbols PATH                  an ISF table (.json, .json.xz), or a folder of them\n"
	      "  --all                           ps, tree, threads, vads, modules, callbacks: also what only a sweep over "
	      "all "
	      "memory finds\n"
	      "  --yara FILE                     check: search the memory of processes by these rules; may be given again\n"
	      "  --range, --vad, --module        extract: which memory ('invar extract --help')\n"
	      "  --depth, --follow, --list       dt: how much is shown ('invar dt --help')\n"
	      "  --process PID|ADDR              dt: whose user memory is read\n"
	      "  --threads N                     how many threads may work\n"
	      "  --color auto|always|never       colours in text (auto; NO_COLOR is heeded)\n"
	      "  -q, --quiet                     no warnings\n"
	      "  -v, --verbose                   say what is done; twice: in detail\n"
	      "  --no-sandbox                    do not lock the program in before it reads the image\n"
	      "  --help, --version\n\n"
	      "'invar COMMAND --help' tells more of a command, with examples.\n"
	      "Status: 0 nothing broken, 1 an invariant is broken, 2 usage, 3 no image or kernel, 4 stopped.\n",
	      file);
}

static void usage_of(const struct inv_command *command)
{
	printf("usage: invar %s [OPTION]... %s\n\n%s.\n", command->name, command->arguments, command->help);
	if (command->details)
		printf("\n%s", command->details);
	puts("\nOptions that every command takes: 'invar --help'.");
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
	inv_watch_say(context, level == INV_LOG_WARNING ? "invar: warning: " : "invar: ", line);
}

// In the order of enum inv_output; then that of the manual's pages.
static const char *const formats[] = {"text",   "json",      "ndjson", "csv",     "html",
                                      "sqlite", "navigator", "stix",   "markdown"};
#define FORMAT_COUNT (sizeof formats / sizeof formats[0])
#define MARKDOWN (FORMAT_COUNT - 1)

static bool has_format(const struct inv_command *command, size_t format)
{
	if (format == MARKDOWN)
		return !command->needs_image;
	return format <= INV_OUTPUT_CSV || command->run == inv_run_check;
}

// "text, json, ndjson, csv": those that the command has.
static const char *formats_of(const struct inv_command *command, char *list, size_t size)
{
	size_t used = 0;
	list[0] = 0;
	for (size_t i = 0; i < FORMAT_COUNT; i++)
		if (has_format(command, i) && used < size)
			used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "", formats[i]);
	return list;
}

// The form that --format names, if the command has it.
static enum inv_exit choose_format(struct inv_options *options, const struct inv_command *command)
{
	char list[128];
	size_t format = 0;
	if (!options->format)
		return INV_EXIT_OK;
	while (format < FORMAT_COUNT && strcmp(options->format, formats[format]) != 0)
		format++;
	formats_of(command, list, sizeof list);
	if (format == FORMAT_COUNT) {
		const char *near = inv_nearest(options->format, formats, FORMAT_COUNT);
		return wrong("unknown format '%s'; %s%s%s'%s' has %s", options->format, near ? "did you mean '" : "",
		             near ? near : "", near ? "'? " : "", command->name, list);
	}
	if (!has_format(command, format))
		return wrong("format '%s' is not for '%s', which has %s", options->format, command->name, list);
	options->markdown = format == MARKDOWN;
	if (!options->markdown)
		options->output = (enum inv_output)format;
	if (options->output == INV_OUTPUT_SQLITE && !options->file)
		return wrong("a database needs a file: invar check --format sqlite -o case.db %s",
		             options->argument_count ? options->arguments[0] : "IMAGE");
	return INV_EXIT_OK;
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

// COLUMNS, or what the terminal says, but no more than can be read well. A file is as wide as a wide terminal.
static unsigned text_width(const struct inv_options *options)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width = INV_WIDTH_MOST, said;
	if (columns && inv_parse_number(columns, &said) && said > 0)
		width = said;
	else if (!options->file && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	return width < INV_WIDTH_LEAST ? INV_WIDTH_LEAST : width > INV_WIDTH_MOST ? INV_WIDTH_MOST : (unsigned)width;
}

enum long_option {
	OPT_FORMAT = 256,
	OPT_SYMBOLS,
	OPT_ALL,
	OPT_THREADS,
	OPT_COLOR,
	OPT_RANGE,
	OPT_VAD,
	OPT_MODULE,
	OPT_YARA,
	OPT_DEPTH,
	OPT_FOLLOW,
	OPT_PROCESS,
	OPT_LIST,
	OPT_NO_SANDBOX,
	OPT_HELP,
	OPT_VERSION
};

static const struct option longs[] = {
    {"format", required_argument, NULL, OPT_FORMAT},
    {"output", required_argument, NULL, 'o'},
    {"symbols", required_argument, NULL, OPT_SYMBOLS},
    {"all", no_argument, NULL, OPT_ALL},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"color", required_argument, NULL, OPT_COLOR},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"range", required_argument, NULL, OPT_RANGE},
    {"vad", required_argument, NULL, OPT_VAD},
    {"module", required_argument, NULL, OPT_MODULE},
    {"yara", required_argument, NULL, OPT_YARA},
    {"depth", required_argument, NULL, OPT_DEPTH},
    {"follow", no_argument, NULL, OPT_FOLLOW},
    {"process", required_argument, NULL, OPT_PROCESS},
    {"list", required_argument, NULL, OPT_LIST},
    {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};
#define LONG_COUNT (sizeof longs / sizeof longs[0])

// What getopt_long() did not take: `word` as it was typed; `found` is '?' or, where only the value is missing, ':'.
static enum inv_exit wrong_option(int found, const char *word)
{
	const char *names[LONG_COUNT], *near = NULL;
	char name[64] = "";
	if (word[0] == '-' && word[1] == '-')
		snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < LONG_COUNT; i++) {
		names[i] = longs[i].name;
		if (names[i] && strcmp(name, names[i]) == 0 && strchr(word, '='))
			return wrong("option '--%s' takes no value", name);
	}
	if (found == ':')
		return wrong("option '%s' needs a value", word);
	if (*name)
		near = inv_nearest(name, names, LONG_COUNT);
	if (near)
		return wrong("unknown option '%s'; did you mean '--%s'?", word, near);
	return wrong("unknown option '%s'", word);
}

// Fills `options`; returns false with *status set when the program is to end now.
static bool parse(int argc, char **argv, struct inv_options *options, enum inv_exit *status)
{
	const char *color = "auto";
	*options = (struct inv_options){.sandbox = true};
	*status = INV_EXIT_USAGE;
	int option;
	opterr = 0; // wrong_option() says it
	while ((option = getopt_long(argc, argv, ":o:qvh", longs, NULL)) != -1) {
		uint64_t number;
		switch (option) {
		case OPT_FORMAT:
			options->format = optarg;
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
		case OPT_RANGE:
			options->range = optarg;
			break;
		case OPT_VAD:
			options->vad = optarg;
			break;
		case OPT_MODULE:
			options->module = optarg;
			break;
		case OPT_YARA:
			if (options->yara_count == INV_MAX_YARA) {
				*status = wrong("more than %u files of rules", INV_MAX_YARA);
				return false;
			}
			options->yara[options->yara_count++] = optarg;
			break;
		case OPT_DEPTH:
			if (!inv_parse_number(optarg, &number) || number > 16) {
				*status = wrong("'%s' is no number of levels from 0 to 16", optarg);
				return false;
			}
			options->depth = (unsigned)number;
			break;
		case OPT_FOLLOW:
			options->follow = true;
			break;
		case OPT_PROCESS:
			options->process = optarg;
			break;
		case OPT_LIST:
			options->list = optarg;
			break;
		case OPT_NO_SANDBOX:
			options->sandbox = false;
			break;
		case 'h':
		case OPT_HELP:
			options->help = true;
			break;
		case OPT_VERSION:
			puts("invar " INV_VERSION);
			*status = INV_EXIT_OK;
			return false;
		default:
			*status = wrong_option(option, optopt > 0 && optopt < OPT_FORMAT && strncmp(argv[optind - 1], "--", 2) != 0
			                                   ? (const char[]){'-', (char)optopt, 0}
			                                   : argv[optind - 1]);
			return false;
		}
	}
	if (!parse_color(color, options)) {
		*status = wrong("'%s' is none of auto, always, never", color);
		return false;
	}
	options->width = text_width(options);
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

static enum inv_exit no_command(const char *word)
{
	const char *names[COMMAND_COUNT];
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	const char *near = inv_nearest(word, names, COMMAND_COUNT);
	if (near)
		return wrong("'%s' is neither a command nor a file; did you mean '%s'?", word, near);
	return wrong("'%s' is neither a command nor a file", word);
}

static enum inv_exit wrong_count(const struct inv_command *command, int count)
{
	if (command->maximum == 0)
		return wrong("'%s' takes no arguments", command->name);
	return wrong("%s arguments: invar %s %s", count < command->minimum ? "too few" : "too many", command->name,
	             command->arguments);
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

static enum inv_code lock_in(const struct inv_session *session, const struct inv_command *command,
                             struct inv_error *error)
{
	if (!session->options->sandbox)
		return INV_OK;
	struct inv_sandbox_options options = {.log = session->log, .uses_terminal = command->run == inv_run_explore};
	struct inv_sandbox_state state;
	options.folder = session->files ? inv_extract_folder(session->files) : -1;
	options.makes_files = options.folder >= 0;
	enum inv_code code = inv_sandbox_enter(&options, &state, error);
	if (code == INV_OK && options.makes_files && !state.files)
		return inv_fail(
		    error, INV_E_USAGE,
		    "without Landlock nothing keeps new files within a folder (%s): extract one range to a file, or "
		    "give --no-sandbox",
		    state.landlock_missing);
	return code;
}

// Evidence is never written over, whatever -o says.
static bool is_the_image(const char *path, const char *image)
{
	struct stat output, input;
	return stat(path, &output) == 0 && stat(image, &input) == 0 && output.st_dev == input.st_dev &&
	       output.st_ino == input.st_ino;
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
	if (code == INV_OK && command->needs_image && options->file && is_the_image(options->file, options->arguments[0]))
		return inv_fail(error, INV_E_USAGE, "%s is the image itself; -o must name another file", options->file);
	if (code == INV_OK && options->yara_count > 0)
		code = inv_pattern_rules_read(options->yara, options->yara_count, session->log, &session->pattern_rules, error);
	if (code == INV_OK && command->writes_files)
		return inv_extract_open(options, &session->files, error);
	if (code == INV_OK && command->run == inv_run_explore)
		code = inv_explore_open(session, error);
	if (code == INV_OK && options->output == INV_OUTPUT_SQLITE)
		return inv_replacement_open(options->file, INV_DATABASE_MAX, &session->replacement, error);
	if (code == INV_OK && options->file) {
		session->out = fopen(options->file, "we");
		if (!session->out)
			code = inv_fail(error, INV_E_USAGE, "cannot write %s: %s", options->file, strerror(errno));
	}
	return code;
}

// An existing database that is none of ours is refused before the image is gone through.
static enum inv_code open_database(struct inv_session *session, struct inv_error *error)
{
	size_t size;
	if (!session->replacement)
		return INV_OK;
	const void *old = inv_replacement_old(session->replacement, &size);
	return inv_database_open(session->options->file, old, size, &session->database, error);
}

static enum inv_code read_image(struct inv_session *session, const struct inv_command *command, struct inv_error *error)
{
	if (!command->needs_image)
		return INV_OK;
	struct inv_progress *progress = inv_watch_progress(session->watch);
	inv_progress_begin(progress, INV_PHASE_OPEN, 0);
	enum inv_code code = inv_image_recognise(session->image, error);
	if (code != INV_OK)
		return code;
	inv_progress_begin(progress, INV_PHASE_IDENTIFY, 0);
	struct inv_kernel_options options = {.symbols = session->symbols, .log = session->log, .progress = progress};
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
	if (open_all(session, command, &error) != INV_OK || lock_in(session, command, &error) != INV_OK)
		return fail(&error);
	if (command->run != inv_run_explore) // which has the terminal, and its keys, for itself
		inv_watch_start(session->watch); // now that threads are inside
	enum inv_exit status = INV_EXIT_OK;
	if (open_database(session, &error) == INV_OK && read_image(session, command, &error) == INV_OK)
		status = command->run(session, &error);
	inv_watch_quiet(session->watch);
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
	inv_extract_close(session->files);
	inv_database_close(session->database);
	inv_replacement_close(session->replacement);
	inv_pattern_rules_free(session->pattern_rules);
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

// Options that only one command takes. NULL if they fit the command, else what is wrong.
static const char *misplaced(const struct inv_options *options, const struct inv_command *command)
{
	int parts = !!options->range + !!options->vad + !!options->module;
	if (options->yara_count > 0 && command->run != inv_run_check)
		return "--yara is for 'check'";
	if (options->output > INV_OUTPUT_CSV && command->run != inv_run_check)
		return "this format is for 'check'";
	if (!command->writes_files)
		return parts ? "--range, --vad and --module are for 'extract'" : NULL;
	if (parts + options->all != 1)
		return "'extract' needs one of --range, --vad, --module and --all";
	return options->file ? NULL : "'extract' needs -o, which says where to";
}

int main(int argc, char **argv)
{
	signal(SIGBUS, on_bus_error);
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
#ifdef M_MMAP_THRESHOLD
	// Large arrays that are given back are given back to the system, and grow without being copied.
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	// The inside of every process is read and let go: what is given back each time would be cleared anew each time.
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
#endif
	struct inv_options options;
	enum inv_exit status;
	if (!parse(argc, argv, &options, &status))
		return (int)status;
	const struct inv_command *command = choose(&options);
	if (options.help) {
		if (command)
			usage_of(command);
		else
			usage(stdout);
		return INV_EXIT_OK;
	}
	if (options.argument_count == 0 && !command) {
		usage(stderr);
		return INV_EXIT_USAGE;
	}
	if (!command)
		return (int)no_command(options.arguments[0]);
	if (options.argument_count < command->minimum || options.argument_count > command->maximum)
		return (int)wrong_count(command, options.argument_count);
	status = choose_format(&options, command);
	if (status != INV_EXIT_OK)
		return (int)status;
	const char *problem = misplaced(&options, command);
	if (problem)
		return (int)wrong("%s", problem);
	struct inv_watch *watch = inv_watch_new(!options.quiet);
	struct inv_log log = {.write = write_log, .context = watch};
	log.level = options.verbose > 1 ? INV_LOG_DEBUG : options.verbose ? INV_LOG_INFO : INV_LOG_WARNING;
	struct inv_session session = {
	    .options = &options, .log = options.quiet ? NULL : &log, .out = stdout, .watch = watch};
	status = run(&session, command);
	close_all(&session);
	inv_watch_free(watch);
	return (int)status;
}
