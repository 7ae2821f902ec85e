// SPDX-License-Identifier: Apache-2.0
#include "report/parts.h"

#include <string.h>

#include "base/text.h"
#include "check/check.h"
#include "report/json.h"
#include "report/patches.h"

json_t *inv_json_image(const struct inv_image_info *info)
{
	json_t *image = json_object();
	json_object_set_new(image, "path", inv_json_text(info->path));
	json_object_set_new(image, "format", json_string(inv_format_name(info->format)));
	json_object_set_new(image, "bytes", inv_json_number(info->bytes));
	json_object_set_new(image, "present_pages", inv_json_number(info->present_pages));
	json_object_set_new(image, "atomic", info->atomic < 0 ? json_null() : json_boolean(info->atomic));
	json_t *contradictions = json_array();
	for (size_t i = 0; i < info->contradiction_count; i++)
		json_array_append_new(contradictions, inv_json_text(info->contradictions[i]));
	json_object_set_new(image, "contradictions", contradictions);
	return image;
}

static json_t *version_json(const struct inv_kernel *kernel)
{
	const struct inv_version *v = &kernel->version;
	if (v->build == 0)
		return json_null();
	if (v->revision == 0)
		return json_sprintf("%u.%u.%u", v->major, v->minor, v->build);
	return json_sprintf("%u.%u.%u.%u", v->major, v->minor, v->build, v->revision);
}

static json_t *pdb_json(const struct inv_pdb *pdb)
{
	if (!pdb->found)
		return json_null();
	char guid[INV_GUID_SIZE];
	inv_format_guid(pdb->guid, guid);
	json_t *object = json_object();
	json_object_set_new(object, "name", json_string(pdb->name));
	json_object_set_new(object, "guid", json_string(guid));
	json_object_set_new(object, "age", inv_json_number(pdb->age));
	return object;
}

json_t *inv_json_known(uint64_t address)
{
	return address ? inv_json_address(address) : json_null();
}

json_t *inv_json_kernel(const struct inv_kernel *kernel)
{
	json_t *object = json_object();
	json_object_set_new(object, "arch", json_string(inv_arch_name(kernel->arch)));
	json_object_set_new(object, "build", kernel->version.build ? json_integer(kernel->version.build) : json_null());
	json_object_set_new(object, "version", version_json(kernel));
	json_object_set_new(object, "base", inv_json_known(kernel->base));
	json_object_set_new(object, "dtb", inv_json_known(kernel->dtb));
	json_object_set_new(object, "pdb", pdb_json(&kernel->pdb));
	json_t *facts = json_object();
	json_object_set_new(facts, "source", inv_json_text(kernel->facts_source));
	json_object_set_new(facts, "confidence", json_string(inv_confidence_name(kernel->confidence)));
	json_object_set_new(facts, "layout", inv_json_text(kernel->layout ? kernel->layout->id : NULL));
	json_object_set_new(object, "facts", facts);
	json_object_set_new(object, "system_time", inv_json_time(&kernel->system_time));
	json_object_set_new(object, "boot_time", inv_json_time(&kernel->boot_time));
	json_object_set_new(object, "cpus", inv_json_number(kernel->cpu_count));
	return object;
}

static json_t *claim_json(const struct inv_claim *claim, bool address)
{
	if (!claim->present)
		return json_null();
	return address ? inv_json_address(claim->value) : inv_json_number(claim->value);
}

// What the header of the format claims; null where it says nothing.
json_t *inv_json_header(const struct inv_header *header)
{
	json_t *object = json_object();
	json_object_set_new(object, "build", claim_json(&header->build, false));
	json_object_set_new(object, "cpus", claim_json(&header->cpus, false));
	json_object_set_new(object, "bugcheck", claim_json(&header->bugcheck, true));
	json_t *parameters = json_array();
	for (size_t i = 0; i < 4 && header->bugcheck.present; i++)
		json_array_append_new(parameters, claim_json(&header->bugcheck_parameter[i], true));
	json_object_set_new(object, "bugcheck_parameters", parameters);
	json_object_set_new(object, "dtb", claim_json(&header->dtb, true));
	json_object_set_new(object, "kdbg", claim_json(&header->kdbg, true));
	json_object_set_new(object, "ps_active_process_head", claim_json(&header->ps_active_process_head, true));
	json_object_set_new(object, "ps_loaded_module_list", claim_json(&header->ps_loaded_module_list, true));
	json_object_set_new(object, "cpu_notes", inv_json_number(header->cpu_count));
	return object;
}

bool inv_finding_patches(const struct inv_check *check, const struct inv_finding *finding, struct inv_inside *inside,
                         struct inv_patches *patches)
{
	if (strcmp(finding->invariant->id, "M10") != 0 || !finding->subject.process || !check->sections)
		return false;
	inv_inside_read(&check->dossiers, finding->subject.process, check->sections, inside);
	inv_patches_read(inside, patches);
	return true;
}
