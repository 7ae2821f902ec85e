// SPDX-License-Identifier: Apache-2.0
// Which version of Windows the kernel is, where its PDB is not in any table.
#include <stdlib.h>

#include "kernel/parts.h"

// "9600.18821.amd64fre.winblue_ltsb.170914-0600": the build and, before Windows 10, the revision (there it is always 1).
static bool parse_lab(const char *text, unsigned long *build, unsigned long *revision)
{
	char *end;
	*build = strtoul(text, &end, 10);
	if (end == text || *end != '.' || *build < 2600 || *build > UINT16_MAX)
		return false;
	const char *second = end + 1;
	*revision = strtoul(second, &end, 10);
	return end != second && *end == '.' && *revision <= UINT16_MAX;
}

static bool read_lab(const struct inv_kernel *kernel, unsigned long *build, unsigned long *revision, uint64_t *where)
{
	char text[64] = "";
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_NtBuildLabEx, NULL);
	if (!at.ok)
		at = inv_kernel_symbol(kernel, INV_S_NtBuildLab, NULL);
	if (!at.ok || inv_space_read(kernel->space, at.u, text, sizeof(text) - 1, NULL) == 0)
		return false;
	*where = at.u;
	return parse_lab(text, build, revision);
}

// KUSER_SHARED_DATA has these fields since Windows 10 for NtBuildNumber, since NT 4 for the others (ntddk.h of the Windows Driver
// Kit).
#define NT_BUILD_NUMBER 0x260
#define NT_MAJOR_VERSION 0x26c
#define NT_MINOR_VERSION 0x270

// The version under which Microsoft released a build.
static void name_version(struct inv_version *version, uint16_t build)
{
	version->build = build;
	version->major = build >= 9926 ? 10 : 6;
	version->minor = build >= 9926 ? 0 : build >= 9600 ? 3 : build >= 9200 ? 2 : build >= 7600 ? 1 : 0;
}

static bool from_builds_table(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	const struct inv_build_row *row;
	if (kernel->time_stamp == 0 || kernel->size == 0 || kernel->size > UINT32_MAX ||
	    inv_facts_builds(kernel->arch, kernel->time_stamp, (uint32_t)kernel->size, &row) == 0)
		return false;
	work->row = row;
	enum inv_way way = work->pe.base ? INV_WAY_PE : INV_WAY_MODULE_LIST;
	inv_clue_found(work, INV_ANCHOR_BUILD, way, row->version.build, kernel->base,
	               "by time stamp and size of image in the table of builds");
	if (kernel->version.build == 0) {
		kernel->version = row->version;
		kernel->version_source = "the kernel's time stamp and size of image, in the table of builds";
	}
	return true;
}

static bool from_shared_data(struct inv_kernel *kernel)
{
	struct inv_value build = inv_read_u32(kernel, INV_KUSER_SHARED_DATA + NT_BUILD_NUMBER);
	struct inv_value major = inv_read_u32(kernel, INV_KUSER_SHARED_DATA + NT_MAJOR_VERSION);
	struct inv_value minor = inv_read_u32(kernel, INV_KUSER_SHARED_DATA + NT_MINOR_VERSION);
	if (!build.ok || !major.ok || !minor.ok || major.u != 10 || minor.u > 99 || build.u < 9926 || build.u > 99999)
		return false;
	if (build.u > UINT16_MAX)
		return false;
	kernel->version = (struct inv_version){(uint16_t)major.u, (uint16_t)minor.u, (uint16_t)build.u, 0};
	kernel->version_source = "KUSER_SHARED_DATA.NtBuildNumber; the revision is not known";
	return true;
}

// NtBuildNumber has flags (free or checked build) in its upper half.
static bool from_build_number(struct inv_kernel *kernel)
{
	struct inv_value at = inv_kernel_symbol(kernel, INV_S_NtBuildNumber, NULL);
	struct inv_value number = at.ok ? inv_read_u32(kernel, at.u) : at;
	uint16_t build = (uint16_t)number.u;
	if (!number.ok || build < 2600)
		return false;
	name_version(&kernel->version, build);
	kernel->version_source = "NtBuildNumber; the revision is not known";
	return true;
}

static bool from_build_lab(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	unsigned long build, revision;
	uint64_t where;
	if (!read_lab(kernel, &build, &revision, &where))
		return false;
	inv_clue_found(work, INV_ANCHOR_BUILD, kernel->kdbg.found ? INV_WAY_KDBG : INV_WAY_PE, build, where,
	               "by NtBuildLabEx");
	if (kernel->version.build != 0)
		return true;
	name_version(&kernel->version, (uint16_t)build);
	bool tells_revision = build < 9926;
	kernel->version.revision = tells_revision ? (uint16_t)revision : 0;
	kernel->version_source = tells_revision ? "NtBuildLabEx" : "NtBuildLabEx; the revision is not known";
	return true;
}

static bool from_header(struct inv_kernel *kernel)
{
	const struct inv_claim *build = &inv_image_info(kernel->image)->header.build;
	if (!build->present || build->value < 2600 || build->value > UINT16_MAX)
		return false;
	name_version(&kernel->version, (uint16_t)build->value);
	kernel->version_source = "the header of the image; the revision is not known";
	return true;
}

void inv_find_version(struct inv_work *work)
{
	struct inv_kernel *kernel = &work->kernel;
	from_builds_table(work);
	from_build_lab(work);
	if (kernel->version.build != 0)
		return;
	if (!from_build_number(kernel) && !from_shared_data(kernel) && !from_header(kernel))
		kernel->version_source = "not known";
}
