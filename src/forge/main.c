// SPDX-License-Identifier: Apache-2.0
// invar-forge: the command.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "base/text.h"
#include "forge/forge.h"

#define STATUS_USAGE 2
#define STATUS_FAILED 4
#define SCENARIO_MAX (16u << 20)

static const char usage[] =
    "usage: invar-forge SCENARIO.lua -o IMAGE [OPTION...]\n"
    "       invar-forge --list kernels|operations|attacks\n"
    "\n"
    "Lays out the memory of a Windows machine that a scenario describes, and writes it as an image.\n"
    "\n"
    "  -o, --output IMAGE    the file to write\n"
    "      --format FORMAT   raw (default), dmp, bitmap, kernel, bitmap-kernel, triage, elf, lime\n"
    "      --kernel KERNEL   a version (10.0.19041.1415, 19041.1415, 19041) or the GUID of a PDB\n"
    "      --memory SIZE     of the machine: 256M, 64G; holes take no room on disk\n"
    "      --seed N          everything random follows from it\n"
    "      --truth FILE      write what the image holds as JSON\n"
    "      --list WHAT       kernels, operations or attacks that are known\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 done, 2 the command line or the scenario is wrong, 4 the image could not be written.\n";

struct arguments {
	const char *scenario, *output, *truth, *list;
	enum inv_forge_format format;
	struct inv_forge_options options;
};

static int complain(const char *what, const char *about)
{
	fprintf(stderr, "invar-forge: %s%s%s\nTry 'invar-forge --help'.\n", what, about ? ": " : "", about ? about : "");
	return STATUS_USAGE;
}

// The same with what was probably meant; NULL: nothing is near.
static int complain_of(const char *what, const char *word, const char *const *known, size_t count)
{
	const char *near = inv_nearest(word, known, count);
	fprintf(stderr, "invar-forge: %s: %s%s%s%s\nTry 'invar-forge --help'.\n", what, word,
	        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return STATUS_USAGE;
}

static void list_kernels(void)
{
	for (size_t i = 0; i < inv_facts_kernel_count(); i++) {
		const struct inv_kernel_facts *facts = inv_facts_kernel(i);
		if (!inv_forge_can(facts))
			continue;
		char guid[INV_GUID_SIZE];
		inv_format_guid(facts->guid, guid);
		const struct inv_version *v = &facts->version;
		printf("%u.%u.%u.%u\t%s\t%s\n", v->major, v->minor, v->build, v->revision, guid, facts->layout->id);
	}
}

static int list(const char *what)
{
	if (strcmp(what, "kernels") == 0) {
		list_kernels();
		return 0;
	}
	static const char *const known[] = {"kernels", "operations", "attacks"};
	bool attacks = strcmp(what, "attacks") == 0;
	if (!attacks && strcmp(what, "operations") != 0)
		return complain_of("only kernels, operations and attacks can be listed, not", what, known, 3);
	for (const struct inv_forge_word *word = inv_forge_words; word->name; word++)
		if (word->attack == attacks)
			printf("%s\n    %s\n", word->form, word->text);
	return 0;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
	char *end;
	errno = 0;
	*seed = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && errno == 0;
}

static int no_format(const char *word)
{
	const char *names[INV_FORGE_FORMAT_COUNT];
	for (int i = 0; i < INV_FORGE_FORMAT_COUNT; i++)
		names[i] = inv_forge_format_name((enum inv_forge_format)i);
	return complain_of("no such format", word, names, INV_FORGE_FORMAT_COUNT);
}

// What getopt_long() did not take: `word` as it was typed; `found` is '?' or, where only the value is missing, ':'.
static int wrong_option(int found, const char *word, const struct option *options)
{
	const char *names[16];
	char name[64] = "";
	size_t count = 0;
	for (; options[count].name; count++)
		names[count] = options[count].name;
	if (found == ':')
		return complain("this option needs a value", word);
	if (word[0] == '-' && word[1] == '-')
		snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return complain("this option takes no value", word);
	const char *near = *name ? inv_nearest(name, names, count) : NULL;
	if (!near)
		return complain("no such option", word);
	fprintf(stderr, "invar-forge: no such option: %s; did you mean '--%s'?\nTry 'invar-forge --help'.\n", word, near);
	return STATUS_USAGE;
}

// 0, or the status to end with; -1: end with success.
static int parse(int count, char **words, struct arguments *arguments)
{
	enum { FORMAT = 256, KERNEL, MEMORY, SEED, TRUTH, LIST, HELP, VERSION };
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},    {"format", required_argument, NULL, FORMAT},
	    {"kernel", required_argument, NULL, KERNEL}, {"memory", required_argument, NULL, MEMORY},
	    {"seed", required_argument, NULL, SEED},     {"truth", required_argument, NULL, TRUTH},
	    {"list", required_argument, NULL, LIST},     {"help", no_argument, NULL, HELP},
	    {"version", no_argument, NULL, VERSION},     {NULL, 0, NULL, 0},
	};
	char letter[] = "-?";
	opterr = 0; // wrong_option() says it
	for (int c;
	     (c = getopt_long(count, words, ":o:", options, NULL)) != -1;) { // NOLINT(concurrency-mt-unsafe): one thread
		switch (c) {
		case 'o':
			arguments->output = optarg;
			break;
		case FORMAT:
			if (!inv_forge_format_parse(optarg, &arguments->format))
				return no_format(optarg);
			break;
		case KERNEL:
			arguments->options.kernel = optarg;
			break;
		case MEMORY:
			if (!inv_forge_parse_size(optarg, &arguments->options.memory))
				return complain("no size", optarg);
			break;
		case SEED:
			if (!parse_seed(optarg, &arguments->options.seed))
				return complain("no number", optarg);
			arguments->options.seed_given = true;
			break;
		case TRUTH:
			arguments->truth = optarg;
			break;
		case LIST:
			arguments->list = optarg;
			break;
		case HELP:
			fputs(usage, stdout);
			return -1;
		case VERSION:
			puts("invar-forge " INV_VERSION);
			return -1;
		default:
			letter[1] = (char)optopt; // of a short one, which may stand in the middle of a word
			return wrong_option(c, optopt > 0 && optopt < FORMAT && optopt != 'o' ? letter : words[optind - 1],
			                    options);
		}
	}
	if (optind < count)
		arguments->scenario = words[optind++];
	return optind < count ? complain("one scenario at a time, not also", words[optind]) : 0;
}

// The whole file as text, or NULL with a message.
static char *read_scenario(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "invar-forge: %s: %s\n", path, strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
		return NULL;
	}
	char *text = inv_alloc(SCENARIO_MAX + 1);
	size_t size = fread(text, 1, SCENARIO_MAX + 1, file);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (failed || size > SCENARIO_MAX || memchr(text, 0, size)) {
		fprintf(stderr, "invar-forge: %s: not a scenario\n", path);
		free(text);
		return NULL;
	}
	text[size] = 0;
	return text;
}

static bool write_truth(struct inv_forge *forge, const char *path)
{
	FILE *file = fopen(path, "wb");
	bool done = file && fputs(inv_forge_truth(forge), file) >= 0;
	if (file)
		done = fclose(file) == 0 && done;
	if (!done)
		fprintf(stderr, "invar-forge: %s: %s\n", path, strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
	return done;
}

static int forge(const struct arguments *arguments, const char *scenario)
{
	struct inv_error error = {INV_OK, ""};
	struct inv_forge *made = inv_forge_run(scenario, &arguments->options, &error);
	bool done = made && inv_forge_write(made, arguments->format, arguments->output, &error) == INV_OK;
	if (!done)
		fprintf(stderr, "invar-forge: %s\n", error.text);
	if (done && arguments->truth)
		done = write_truth(made, arguments->truth);
	inv_forge_free(made);
	return done ? 0 : error.code == INV_E_USAGE ? STATUS_USAGE : STATUS_FAILED;
}

int main(int count, char **words)
{
	struct arguments arguments = {.format = INV_FORGE_RAW};
	int status = parse(count, words, &arguments);
	if (status)
		return status < 0 ? 0 : status;
	if (arguments.list)
		return list(arguments.list);
	if (!arguments.scenario || !arguments.output)
		return complain(arguments.scenario ? "-o IMAGE is missing" : "a scenario is missing", NULL);
	char *scenario = read_scenario(arguments.scenario);
	if (!scenario)
		return STATUS_USAGE;
	arguments.options.name = arguments.scenario;
	status = forge(&arguments, scenario);
	free(scenario);
	return status;
}
