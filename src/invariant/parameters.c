// SPDX-License-Identifier: Apache-2.0
// Family 5, of names: what the kernel calls the program, what its file is called, and what the process says of itself.
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "invariant/families.h"
#include "invariant/files.h"
#include "invariant/path.h"
#include "invariant/trial.h"
#include "nt/process.h"

// The name under which the process was created.
struct audit {
	struct inv_value value;
	const char *path; // "\Device\HarddiskVolume3\Windows\System32\svchost.exe"
	const char *in_volume;
};

static bool read_audit(struct inv_trial *trial, struct audit *audit)
{
	audit->path =
	    inv_process_path(trial->judge->kernel, trial->inside->process->address, trial->inside->arena, &audit->value);
	audit->in_volume = inv_path_in_volume(audit->path);
	if (!inv_trial_needs(trial, &audit->value))
		return false;
	if (!audit->in_volume)
		inv_trial_unsure(trial, "the name at creation is none of a file");
	return audit->in_volume != NULL;
}

static void audit_says(struct inv_trial *trial, const struct audit *audit, const char *text)
{
	inv_field_says(trial->judge, trial->finding, INV_F_EPROCESS_SeAuditProcessCreationInfo, &audit->value, "\"%s\": %s",
	               audit->path, text);
}

static void path_says(struct inv_trial *trial, const struct inv_text *path, const char *text)
{
	inv_field_says(trial->judge, trial->finding, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName, &path->length,
	               "\"%s\": %s", path->text, text);
}

// -- I03 --------------------------------------------------------------------------------------------------------------------

static const struct inv_file *file_of(const struct inv_inside *inside)
{
	if (inside->image.file.address)
		return &inside->image.file;
	return inside->image.section ? &inside->image.section->file : NULL;
}

// Both the name at creation and the process' own are of the moment of creation, and nothing in Windows changes them later; the name in
// the file object may follow the file.
static bool was_renamed(const struct inv_inside *inside, const struct audit *audit)
{
	const struct inv_text *own = &inside->peb.image_path;
	return inside->peb.address && own->ok && inv_path_names(own->text, audit->in_volume) <= INV_PATH_REDIRECTED;
}

void inv_judge_I03(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct audit audit;
	const struct inv_file *file = file_of(inside);
	if (!file || !file->address)
		inv_trial_unsure(&trial, "the process' file cannot be read");
	else if (read_audit(&trial, &audit) && inv_trial_needs(&trial, &file->name_value)) {
		enum inv_alike alike = inv_path_compare(file->name, audit.in_volume);
		if (alike == INV_PATH_UNSURE)
			inv_trial_unsure(&trial, "one of the names is a short one, or has letters outside ASCII");
		else if (alike != INV_PATH_SAME && was_renamed(inside, &audit)) {
			inv_excuse(judge, inv_subject_process(inside->process), "renamed");
			return;
		} else if (alike != INV_PATH_SAME && !inside->peb.image_path.ok) {
			inv_trial_unsure(&trial, "whether the file was renamed cannot be read");
		} else if (alike != INV_PATH_SAME) {
			inv_trial_broken(&trial, INV_TIER_EXECUTIVE);
			audit_says(&trial, &audit, "the name at creation");
			inv_field_says(judge, trial.finding, INV_F_FILE_OBJECT_FileName, &file->name_value,
			               "\"%s\": the file that runs", file->name);
			path_says(&trial, &inside->peb.image_path, "what the process itself says");
			inv_tried(judge, trial.finding, "renamed",
			          "what the process was given as its path is not the name at creation");
		}
	}
	inv_trial_end(&trial);
}

// -- I04 --------------------------------------------------------------------------------------------------------------------

#define KEPT 14u // characters of ImageFileName, with a NUL behind them

void inv_judge_I04(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct audit audit;
	const struct inv_dossier *process = inside->process;
	if (!read_audit(&trial, &audit) || !inv_trial_needs(&trial, &process->name_value)) {
		inv_trial_end(&trial);
		return;
	}
	const char *base = inv_path_base(audit.in_volume);
	bool same =
	    strncasecmp(process->name, base, KEPT) == 0 && (strlen(base) > KEPT || strlen(process->name) == strlen(base));
	bool plain = inv_name_compare(process->name, base) != INV_PATH_UNSURE;
	if (!same && !plain) {
		inv_trial_unsure(&trial, "one of the names is a short one, or has letters outside ASCII");
	} else if (!same) {
		inv_trial_broken(&trial, INV_TIER_EXECUTIVE);
		inv_field_says(judge, trial.finding, INV_F_EPROCESS_ImageFileName, &process->name_value,
		               "\"%s\": the short name of the process", process->name);
		audit_says(&trial, &audit, "the name at creation, of which it is the last part");
	}
	inv_trial_end(&trial);
}

// -- I05 --------------------------------------------------------------------------------------------------------------------

// A file of the claimed name is known, and is not the one that runs.
static const struct inv_known_file *refuted_by(const struct inv_inside *inside, const char *claim)
{
	const struct inv_known_file *known = inv_known_file(inside->files, claim);
	const struct inv_file *file = file_of(inside);
	struct inv_value silo = inv_field(inside->dossiers->kernel, inside->process->address, INV_F_EPROCESS_ServerSilo);
	bool own_names = silo.ok && silo.u; // the drives of a container are its own
	return known && file && !own_names && inv_same_file(&known->file, file) == INV_NO ? known : NULL;
}

static void try_image_path(struct inv_trial *trial, const struct inv_peb *peb, const struct audit *audit)
{
	const struct inv_text *path = &peb->image_path;
	if (!path->ok) {
		inv_trial_needs(trial, &path->length);
		return;
	}
	enum inv_alike alike = inv_path_names(path->text, audit->in_volume);
	bool narrow = trial->inside->peb32.address != 0;
	if (alike == INV_PATH_UNSURE)
		inv_trial_unsure(trial,
		                 "the path is a short name, of a form that names no volume, or has letters outside ASCII");
	if (alike == INV_PATH_UNSURE || alike == INV_PATH_SAME || (alike == INV_PATH_REDIRECTED && narrow))
		return;
	const struct inv_known_file *known = refuted_by(trial->inside, path->text);
	if (known)
		inv_trial_broken(trial, INV_TIER_USER_MODE);
	else
		inv_trial_observed(trial, INV_TIER_USER_MODE);
	path_says(trial, path,
	          peb->narrow ? "what the 32-bit half of the process says it runs" : "what the process says it runs");
	audit_says(trial, audit, "the name at creation");
	if (known)
		inv_field_says(trial->judge, trial->finding, INV_F_FILE_OBJECT_FsContext, &known->file.fs_context,
		               "the file of that name is another one: process 0x%" PRIx64 " runs from it",
		               known->process->address);
}

void inv_judge_I05(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	struct audit audit;
	if (!inside->peb.address)
		inv_trial_unsure(&trial, "the process has no PEB, or its memory cannot be read");
	else if (read_audit(&trial, &audit)) {
		try_image_path(&trial, &inside->peb, &audit);
		if (inside->peb32.address)
			try_image_path(&trial, &inside->peb32, &audit);
	}
	inv_trial_end(&trial);
}

// -- I14 --------------------------------------------------------------------------------------------------------------------

static bool lies_within(const struct inv_text *text, uint64_t start, uint64_t length)
{
	return text->buffer.u >= start && text->buffer.u - start <= length &&
	       text->length.u <= length - (text->buffer.u - start);
}

static void try_text(struct inv_trial *trial, const struct inv_peb *peb, const struct inv_text *text,
                     enum inv_field field, const char *what)
{
	if (!inv_trial_needs(trial, &text->length) || !inv_trial_needs(trial, &text->buffer) || text->length.u == 0)
		return;
	if (text->length.u > text->maximum.u) {
		inv_trial_broken(trial, INV_TIER_USER_MODE);
		inv_field_says(trial->judge, trial->finding, field, &text->length, "the %s is longer than its room of %" PRIu64,
		               what, text->maximum.u);
	}
	if (lies_within(text, peb->parameters.u, peb->parameters_maximum.u))
		return;
	inv_trial_broken(trial, INV_TIER_USER_MODE);
	inv_field_says(trial->judge, trial->finding, field, &text->buffer, "the %s stands elsewhere, and says \"%s\"", what,
	               text->text);
	inv_field_says(trial->judge, trial->finding, INV_F_RTL_USER_PROCESS_PARAMETERS_MaximumLength,
	               &peb->parameters_maximum, "the length of the block at 0x%" PRIx64 " in which a new process gets it",
	               peb->parameters.u);
}

static void try_parameters(struct inv_trial *trial, const struct inv_peb *peb)
{
	if (!inv_trial_needs(trial, &peb->parameters) || peb->parameters.u == 0 ||
	    !inv_trial_needs(trial, &peb->parameters_maximum))
		return;
	try_text(trial, peb, &peb->command_line, INV_F_RTL_USER_PROCESS_PARAMETERS_CommandLine, "command line");
	try_text(trial, peb, &peb->image_path, INV_F_RTL_USER_PROCESS_PARAMETERS_ImagePathName, "path");
}

void inv_judge_I14(struct inv_judge *judge, const struct inv_inside *inside)
{
	if (!inv_runs_program(judge, inside))
		return;
	struct inv_trial trial = inv_trial_of(judge, inside);
	if (!inside->peb.address)
		inv_trial_unsure(&trial, "the process has no PEB, or its memory cannot be read");
	else
		try_parameters(&trial, &inside->peb);
	if (inside->peb32.address)
		try_parameters(&trial, &inside->peb32);
	inv_trial_end(&trial);
}
