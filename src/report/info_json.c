// SPDX-License-Identifier: Apache-2.0
// The JSON of `invar info`.
#include "kernel/kdbg.h"
#include "report/json.h"
#include "report/parts.h"
#include "report/report.h"

static json_t *clue_json(const struct inv_clue *clue)
{
	json_t *object = json_object();
	json_object_set_new(object, "anchor", json_string(inv_anchor_name(clue->anchor)));
	json_object_set_new(object, "way", json_string(inv_way_name(clue->way)));
	json_object_set_new(object, "value", clue->ok ? inv_json_address(clue->value) : json_null());
	json_object_set_new(object, "where", clue->ok ? inv_json_address(clue->where) : json_null());
	json_object_set_new(object, "absent", clue->ok ? json_null() : json_string(inv_absence_name(clue->why.reason)));
	json_object_set_new(object, "note", inv_json_text(clue->note));
	return object;
}

static json_t *triage_json(const struct inv_triage *triage)
{
	if (!triage)
		return json_null();
	uint64_t bytes = 0;
	for (size_t i = 0; i < triage->fragment_count; i++)
		bytes += triage->fragments[i].size;
	json_t *object = json_object();
	json_object_set_new(object, "fragments", inv_json_number(triage->fragment_count));
	json_object_set_new(object, "fragment_bytes", inv_json_number(bytes));
	json_object_set_new(object, "modules", inv_json_number(triage->module_count));
	return object;
}

static json_t *kdbg_json(const struct inv_kdbg *kdbg)
{
	static const struct {
		const char *name;
		unsigned at;
	} sizes[] = {
	    {"SizeEProcess", INV_KDBG_SIZE_EPROCESS},
	    {"SizeEThread", INV_KDBG_SIZE_ETHREAD},
	    {"SizePrcb", INV_KDBG_SIZE_PRCB},
	    {"OffsetEprocessPeb", INV_KDBG_EPROCESS_PEB},
	    {"OffsetEprocessParentCID", INV_KDBG_EPROCESS_PARENT_CID},
	    {"OffsetEprocessDirectoryTableBase", INV_KDBG_EPROCESS_DIRECTORY_TABLE_BASE},
	};
	if (!kdbg->found)
		return json_null();
	json_t *object = json_object();
	json_object_set_new(object, "address", inv_json_known(kdbg->address));
	json_object_set_new(object, "encoded", json_boolean(kdbg->encoded));
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint16_t value;
		bool known = inv_kdbg_u16(kdbg, sizes[i].at, &value);
		json_object_set_new(object, sizes[i].name, known ? json_integer(value) : json_null());
	}
	return object;
}

// The head of the list of processes, as it stands in memory.
static json_t *active_list_json(const struct inv_kernel *kernel)
{
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_PsActiveProcessHead, NULL);
	if (!head.ok)
		return json_null();
	struct inv_value flink = inv_read_u64(kernel, head.u), blink = inv_read_u64(kernel, head.u + 8);
	uint64_t first = flink.ok ? inv_process_of_entry(kernel, flink.u, INV_F_EPROCESS_ActiveProcessLinks) : 0;
	json_t *object = json_object();
	json_object_set_new(object, "head", inv_json_address(head.u));
	json_object_set_new(object, "flink", inv_json_pointer(&flink));
	json_object_set_new(object, "blink", inv_json_pointer(&blink));
	json_object_set_new(object, "first_process", inv_json_known(first));
	return object;
}

json_t *inv_report_info_json(const struct inv_kernel *kernel)
{
	json_t *report = json_object();
	json_t *object = inv_json_kernel(kernel);
	const struct inv_image_info *info = inv_image_info(kernel->image);
	json_t *image = inv_json_image(info);
	json_object_set_new(image, "header", inv_json_header(&info->header));
	json_object_set_new(image, "triage", triage_json(info->triage));
	json_object_set_new(report, "image", image);
	json_object_set_new(object, "kdbg", kdbg_json(&kernel->kdbg));
	json_object_set_new(object, "active_list", active_list_json(kernel));
	json_object_set_new(object, "size", kernel->size ? inv_json_number(kernel->size) : json_null());
	json_object_set_new(object, "time_stamp", kernel->time_stamp ? inv_json_address(kernel->time_stamp) : json_null());
	json_object_set_new(object, "version_source", inv_json_text(kernel->version_source));
	json_object_set_new(object, "modules", inv_json_number(kernel->module_count));
	json_t *checks = json_array();
	for (size_t i = 0; i < kernel->self_check_count; i++)
		json_array_append_new(checks, json_string(kernel->self_checks[i]));
	json_object_set_new(object, "self_checks", checks);
	json_t *clues = json_array();
	for (size_t i = 0; i < kernel->clue_count; i++)
		json_array_append_new(clues, clue_json(&kernel->clues[i]));
	json_object_set_new(object, "clues", clues);
	json_object_set_new(report, "kernel", object);
	return report;
}
