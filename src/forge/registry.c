// SPDX-License-Identifier: Apache-2.0
// The registry as the configuration manager has it in memory. (Where fields stand: the symbols. Cells and bins: Suhanov's "Windows
// registry file format specification". That names in name control blocks are in upper case, that a mounted hive has two key control
// blocks of one name since Windows 10 14393, and where bins are mapped: public practice.)
#include "forge/registry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "forge/section.h"
#include "forge/user.h"

#define BLOCK 4096u
#define KEY_BODY_TYPE 0x6b793032u
#define KEY_BODY_SIZE 0x70u // the largest that is known
#define KCB_SIZE 0x138u
#define HIVE_SIZE 0x17a8u
#define BASE_SIZE 0x1000u
#define HIVE_SIGNATURE 0xbee0bee0u
#define BASE_SIGNATURE 0x66676572u
#define BIN_SIGNATURE 0x6e696268u
#define BIN_HEAD 0x20u
#define VOLUME_CONFIG "\\Device\\HarddiskVolume3\\Windows\\System32\\config\\"
#define TABLE_ENTRIES 512u
#define NO_CELL 0xffffffffu
#define COMP_NAME 0x20u // CM_KEY_NODE.Flags
#define NO_DELETE 0x8u
#define HIVE_ENTRY 0x4u
#define HIVE_EXIT 0x2u
#define LEAF_KEYS 16u // more stand on several lists; Windows has larger ones
#define REG_EXPAND_SZ 2u
#define REG_DWORD 4u

// -- open keys --------------------------------------------------------------------------------------------------------------

void inv_machine_make_registry(struct inv_machine *machine)
{
	uint64_t head = inv_machine_symbol(machine, INV_S_CmpHiveListHead);
	if (head)
		inv_machine_list_init(machine, head);
}

static char *upper(struct inv_machine *machine, const char *text)
{
	char *copy = inv_arena_strdup(machine->arena, text);
	for (char *at = copy; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return copy;
}

static uint64_t name_block(struct inv_machine *machine, const char *name, bool wide)
{
	size_t length = strlen(name), size = wide ? 2 * length : length;
	uint64_t offset = inv_machine_at(machine, 0, INV_F_CM_NAME_CONTROL_BLOCK_Name);
	uint64_t block = inv_machine_pool(machine, &machine->paged, (uint32_t)(offset + size + 2), "CMNb");
	inv_machine_put(machine, block, INV_F_CM_NAME_CONTROL_BLOCK_Compressed, !wide);
	inv_machine_put(machine, block, INV_F_CM_NAME_CONTROL_BLOCK_NameLength, size);
	for (size_t i = 0; i < length; i++) {
		const uint8_t unit[2] = {(uint8_t)name[i], 0};
		inv_machine_write(machine, block + offset + (wide ? 2 * i : i), unit, wide ? 2 : 1);
	}
	return block;
}

static const struct inv_forge_hive *hive_at(const struct inv_machine *machine, const char *path)
{
	for (size_t i = 0; i < inv_count(machine->hives); i++)
		if (strcasecmp(machine->hives[i]->path, path) == 0)
			return machine->hives[i];
	return NULL;
}

// \REGISTRY\MACHINE\x and \REGISTRY\USER\x are where hives are mounted.
static bool is_mount(const char *path)
{
	unsigned parts = 0;
	for (const char *at = path; *at; at++)
		parts += *at == '\\';
	return parts == 3 &&
	       (strncasecmp(path, "\\REGISTRY\\MACHINE\\", 18) == 0 || strncasecmp(path, "\\REGISTRY\\USER\\", 15) == 0);
}

static uint64_t make_kcb(struct inv_machine *machine, uint64_t parent, uint64_t name, unsigned flags)
{
	uint32_t size = inv_machine_size(machine, INV_T_CM_KEY_CONTROL_BLOCK, KCB_SIZE);
	uint64_t kcb = inv_machine_pool(machine, &machine->paged, size, "CmKb");
	inv_machine_put(machine, kcb, INV_F_CM_KEY_CONTROL_BLOCK_ParentKcb, parent);
	inv_machine_put(machine, kcb, INV_F_CM_KEY_CONTROL_BLOCK_NameBlock, name);
	inv_machine_put(machine, kcb, INV_F_CM_KEY_CONTROL_BLOCK_Flags, flags);
	return kcb;
}

uint64_t inv_machine_kcb(struct inv_machine *machine, const char *path, bool wide)
{
	char *key = upper(machine, path);
	ptrdiff_t index = stbds_shgeti(machine->kcbs, key);
	if (index >= 0)
		return machine->kcbs[index].value;
	char *above = inv_arena_strdup(machine->arena, key), *slash = strrchr(above, '\\');
	uint64_t parent = 0;
	if (slash && slash != above) {
		*slash = 0;
		parent = inv_machine_kcb(machine, above, false);
	}
	uint64_t name = name_block(machine, slash ? slash + 1 : key, wide);
	bool twice = is_mount(key) && inv_machine_has(machine, INV_F_CM_KEY_BODY_Trans);
	if (twice)
		parent = make_kcb(machine, parent, name, COMP_NAME | NO_DELETE | HIVE_EXIT);
	unsigned flags = is_mount(key) ? NO_DELETE | HIVE_ENTRY : 0;
	uint64_t kcb = make_kcb(machine, parent, name, (wide ? 0 : COMP_NAME) | flags);
	const struct inv_forge_hive *hive = hive_at(machine, key);
	if (hive)
		inv_machine_put(machine, kcb, INV_F_CM_KEY_CONTROL_BLOCK_KeyHive, hive->address);
	stbds_shput(machine->kcbs, key, kcb);
	return kcb;
}

uint64_t inv_machine_make_key(struct inv_machine *machine, const char *path, bool wide)
{
	if (!inv_machine_has(machine, INV_F_CM_KEY_BODY_KeyControlBlock))
		return 0;
	uint64_t kcb = inv_machine_kcb(machine, path, wide);
	uint64_t key = inv_machine_make_bare_object(machine, INV_FORGE_KEY);
	inv_machine_put(machine, key, INV_F_CM_KEY_BODY_Type, KEY_BODY_TYPE);
	inv_machine_put(machine, key, INV_F_CM_KEY_BODY_KeyControlBlock, kcb);
	inv_machine_call(machine, key, inv_arena_strdup(machine->arena, path));
	return key;
}

bool inv_machine_is_wide(const struct inv_machine *machine, uint64_t key)
{
	uint64_t kcb = inv_machine_get(machine, key, INV_F_CM_KEY_BODY_KeyControlBlock);
	uint64_t name = kcb ? inv_machine_get(machine, kcb, INV_F_CM_KEY_CONTROL_BLOCK_NameBlock) : 0;
	return name && !inv_machine_get(machine, name, INV_F_CM_NAME_CONTROL_BLOCK_Compressed);
}

// -- what is in a hive ------------------------------------------------------------------------------------------------------

static struct inv_forge_hive_key *key_beneath(struct inv_machine *machine, struct inv_forge_hive_key *key,
                                              const char *name, size_t length)
{
	struct inv_forge_hive_key **at = &key->first;
	while (*at) {
		int order = strncasecmp((*at)->name, name, length);
		if (order == 0 && strlen((*at)->name) == length)
			return *at;
		if (order > 0 || (order == 0 && strlen((*at)->name) > length))
			break;
		at = &(*at)->next;
	}
	struct inv_forge_hive_key *made = inv_arena_alloc(machine->arena, sizeof *made);
	made->name = inv_arena_printf(machine->arena, "%.*s", (int)length, name);
	made->next = *at;
	return *at = made;
}

struct inv_forge_hive_key *inv_forge_hive_key(struct inv_machine *machine, struct inv_forge_hive_key *from,
                                              const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "\\");
		from = key_beneath(machine, from, path, length);
		path += length;
		path += *path == '\\';
	}
	return from;
}

static struct inv_forge_hive_value *add_value(struct inv_machine *machine, struct inv_forge_hive_key *key,
                                              const char *name, uint32_t type, const uint8_t *data, uint32_t size)
{
	struct inv_forge_hive_value *value = inv_arena_alloc(machine->arena, sizeof *value), **at = &key->values;
	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	*value = (struct inv_forge_hive_value){
	    .name = inv_arena_strdup(machine->arena, name), .type = type, .data = data, .size = size, .next = *at};
	return *at = value;
}

void inv_forge_hive_text(struct inv_machine *machine, struct inv_forge_hive_key *key, const char *name,
                         const char *text)
{
	size_t length = strlen(text);
	uint8_t *units = inv_arena_alloc(machine->arena, 2 * length + 2);
	for (size_t i = 0; i < length; i++)
		units[2 * i] = (uint8_t)text[i];
	add_value(machine, key, name, REG_EXPAND_SZ, units, (uint32_t)(2 * length + 2))->text =
	    inv_arena_strdup(machine->arena, text);
}

void inv_forge_hive_number(struct inv_machine *machine, struct inv_forge_hive_key *key, const char *name,
                           uint32_t number)
{
	uint8_t *bytes = inv_arena_alloc(machine->arena, 4);
	inv_put32(bytes, number);
	(void)add_value(machine, key, name, REG_DWORD, bytes, 4);
}

// -- cells ------------------------------------------------------------------------------------------------------------------

struct builder {
	const struct inv_machine *machine;
	uint8_t *bytes; // all bins
	uint32_t size;  // of them
	uint32_t bin;   // offset of the one in work
	uint32_t used;  // bytes of all
	uint32_t *bins; // stb_ds: where each begins
};

// What is left of a bin is one free cell.
static void close_bin(struct builder *builder)
{
	uint32_t left = builder->size - builder->used;
	if (left && builder->bytes)
		inv_put32(builder->bytes + builder->used, left);
	builder->used += left;
}

static void open_bin(struct builder *builder, uint32_t size)
{
	uint32_t start = builder->size, whole = (size + BIN_HEAD + BLOCK - 1) / BLOCK * BLOCK;
	builder->bytes = inv_realloc(builder->bytes, (size_t)start + whole);
	builder->size = start + whole;
	memset(builder->bytes + start, 0, whole);
	inv_put32(builder->bytes + start, BIN_SIGNATURE);
	inv_put32(builder->bytes + start + 4, start);
	inv_put32(builder->bytes + start + 8, whole);
	builder->bin = start;
	builder->used = start + BIN_HEAD;
	inv_push(builder->bins, start);
}

// A cell in use; the offset of the cell.
static uint32_t take_cell(struct builder *builder, uint32_t content)
{
	uint32_t size = (content + 4 + 7) / 8 * 8;
	if (!builder->bytes || builder->size - builder->used < size) {
		close_bin(builder);
		open_bin(builder, size);
	}
	uint32_t cell = builder->used;
	inv_put32(builder->bytes + cell, 0u - size);
	builder->used += size;
	return cell;
}

static void put(const struct builder *builder, uint32_t cell, enum inv_field field, uint32_t value)
{
	uint8_t *at = builder->bytes + inv_machine_at(builder->machine, cell + 4ull, field);
	if (inv_machine_width(builder->machine, field) == 2)
		inv_put16(at, (uint16_t)value);
	else
		inv_put32(at, value);
}

static uint32_t offset_of(const struct builder *builder, enum inv_field field)
{
	return (uint32_t)inv_machine_at(builder->machine, 0, field);
}

static uint32_t put_value(struct builder *builder, const struct inv_forge_hive_value *value)
{
	uint32_t length = (uint32_t)strlen(value->name), name = offset_of(builder, INV_F_CM_KEY_VALUE_Name);
	uint32_t cell = take_cell(builder, name + length);
	put(builder, cell, INV_F_CM_KEY_VALUE_Signature, 0x6b76);
	put(builder, cell, INV_F_CM_KEY_VALUE_NameLength, length);
	put(builder, cell, INV_F_CM_KEY_VALUE_Type, value->type);
	put(builder, cell, INV_F_CM_KEY_VALUE_Flags, 1); // the name has one byte a character
	memcpy(builder->bytes + cell + 4 + name, value->name, length);
	if (value->size <= 4) {
		put(builder, cell, INV_F_CM_KEY_VALUE_DataLength, value->size | 0x80000000u);
		memcpy(builder->bytes + cell + 4 + offset_of(builder, INV_F_CM_KEY_VALUE_Data), value->data, value->size);
		return cell;
	}
	uint32_t data = take_cell(builder, value->size);
	memcpy(builder->bytes + data + 4, value->data, value->size);
	put(builder, cell, INV_F_CM_KEY_VALUE_DataLength, value->size);
	put(builder, cell, INV_F_CM_KEY_VALUE_Data, data);
	return cell;
}

static void put_values(struct builder *builder, const struct inv_forge_hive_key *key)
{
	uint32_t count = 0, index = 0;
	for (const struct inv_forge_hive_value *value = key->values; value; value = value->next)
		count++;
	put(builder, key->cell, INV_F_CM_KEY_NODE_ValueCount, count);
	put(builder, key->cell, INV_F_CM_KEY_NODE_ValueList, NO_CELL);
	if (!count)
		return;
	uint32_t list = take_cell(builder, 4 * count);
	for (const struct inv_forge_hive_value *value = key->values; value; value = value->next) {
		uint32_t cell = put_value(builder, value);
		inv_put32(builder->bytes + list + 4 + 4 * (size_t)index++, cell);
	}
	put(builder, key->cell, INV_F_CM_KEY_NODE_ValueList, list);
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 0;
	for (; *name; name++)
		hash = hash * 37 + (uint32_t)toupper((unsigned char)*name);
	return hash;
}

// A hash leaf ("lh") of so many keys from this one on.
static uint32_t put_leaf(struct builder *builder, const struct inv_forge_hive_key *key, uint32_t count)
{
	uint32_t items = offset_of(builder, INV_F_CM_KEY_INDEX_List), leaf = take_cell(builder, items + 8 * count);
	put(builder, leaf, INV_F_CM_KEY_INDEX_Signature, 0x686c);
	put(builder, leaf, INV_F_CM_KEY_INDEX_Count, count);
	for (uint32_t i = 0; i < count; i++, key = key->next) {
		uint8_t *item = builder->bytes + leaf + 4 + items + 8 * (size_t)i;
		inv_put32(item, key->cell);
		inv_put32(item + 4, hash_of(key->name));
	}
	return leaf;
}

static uint32_t put_lists(struct builder *builder, const struct inv_forge_hive_key *key, uint32_t count)
{
	if (count <= LEAF_KEYS)
		return put_leaf(builder, key, count);
	uint32_t leaves = (count + LEAF_KEYS - 1) / LEAF_KEYS, items = offset_of(builder, INV_F_CM_KEY_INDEX_List);
	uint32_t root = take_cell(builder, items + 4 * leaves);
	put(builder, root, INV_F_CM_KEY_INDEX_Signature, 0x6972);
	put(builder, root, INV_F_CM_KEY_INDEX_Count, leaves);
	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t part = count < LEAF_KEYS ? count : LEAF_KEYS, leaf = put_leaf(builder, key, part);
		inv_put32(builder->bytes + root + 4 + items + 4 * (size_t)i, leaf);
		for (uint32_t j = 0; j < part; j++)
			key = key->next;
		count -= part;
	}
	return root;
}

static void put_key(struct builder *builder, struct inv_forge_hive_key *key, uint32_t parent, unsigned flags)
{
	uint32_t length = (uint32_t)strlen(key->name), name = offset_of(builder, INV_F_CM_KEY_NODE_Name), count = 0;
	key->cell = take_cell(builder, name + length);
	put(builder, key->cell, INV_F_CM_KEY_NODE_Signature, 0x6b6e);
	put(builder, key->cell, INV_F_CM_KEY_NODE_Flags, COMP_NAME | flags);
	put(builder, key->cell, INV_F_CM_KEY_NODE_Parent, parent);
	put(builder, key->cell, INV_F_CM_KEY_NODE_NameLength, length);
	memcpy(builder->bytes + key->cell + 4 + name, key->name, length);
	for (struct inv_forge_hive_key *child = key->first; child; child = child->next, count++)
		put_key(builder, child, key->cell, 0);
	put_values(builder, key);
	uint32_t counts = key->cell + 4 + offset_of(builder, INV_F_CM_KEY_NODE_SubKeyCounts);
	uint32_t lists = key->cell + 4 + offset_of(builder, INV_F_CM_KEY_NODE_SubKeyLists);
	uint32_t list = count ? put_lists(builder, key->first, count) : NO_CELL;
	inv_put32(builder->bytes + counts, count);
	inv_put32(builder->bytes + lists, list);
	inv_put32(builder->bytes + lists + 4, NO_CELL);
}

// -- hives ------------------------------------------------------------------------------------------------------------------

bool inv_machine_has_hives(const struct inv_machine *machine)
{
	return inv_machine_symbol(machine, INV_S_CmpHiveListHead) && inv_machine_has(machine, INV_F_HHIVE_Storage) &&
	       inv_machine_has(machine, INV_F_CMHIVE_HiveList) && inv_machine_has(machine, INV_F_CM_KEY_NODE_Name) &&
	       inv_machine_has(machine, INV_F_CM_KEY_VALUE_Name) && inv_machine_has(machine, INV_F_CM_KEY_INDEX_List);
}

static struct inv_forge_process *registry_process(struct inv_machine *machine, struct inv_error *error)
{
	uint64_t symbol = inv_machine_symbol(machine, INV_S_CmpRegistryProcess);
	if (!symbol || !inv_machine_has(machine, INV_F_HHIVE_ProcessTuple))
		return NULL;
	struct inv_forge_process *process = inv_machine_process_at(machine, inv_machine_get64(machine, symbol));
	const struct inv_process_wish wish = {.name = "Registry",
	                                      .parent = 4,
	                                      .threads = 4,
	                                      .session = -1,
	                                      .protection = -1,
	                                      .minimal = true,
	                                      .role = INV_ROLE_REGISTRY};
	return process ? process : inv_machine_make_process(machine, &wish, error);
}

// Where the bins stand: a view of the file in the user half of the Registry process, or the kernel's memory. A file begins with the
// base block.
static bool place_bins(struct inv_machine *machine, struct inv_forge_hive *hive, const struct builder *builder,
                       struct inv_error *error)
{
	uint32_t length = hive->length;
	hive->process = registry_process(machine, error);
	if (!hive->process) {
		hive->bins = inv_region_take(machine, &machine->paged, length, BLOCK);
		inv_machine_write(machine, hive->bins, builder->bytes, length);
		return true;
	}
	uint8_t *content = inv_alloc(BASE_SIZE + (size_t)length);
	inv_put32(content, BASE_SIGNATURE);
	memcpy(content + BASE_SIZE, builder->bytes, length);
	struct inv_forge_area *area =
	    inv_machine_data_area(machine, inv_machine_file(machine, hive->file), content, BASE_SIZE + (uint64_t)length);
	free(content);
	uint32_t pages = (BASE_SIZE + length) / BLOCK;
	uint64_t view = inv_machine_map_view(machine, hive->process, area, 0, 0, pages, INV_MM_WRITECOPY);
	for (uint32_t i = 0; view && i < pages; i++)
		(void)inv_machine_touch(machine, hive->process, view + (uint64_t)i * BLOCK, false);
	hive->bins = view + BASE_SIZE;
	return view != 0;
}

// Entries of the map, one for each block: by its address or, later, by its bin's and the offset in it. The lowest bits of a bin's
// address are flags.
static void put_map(struct inv_machine *machine, uint64_t table, const struct inv_forge_hive *hive,
                    const struct builder *builder)
{
	uint32_t size = inv_machine_size(machine, INV_T_HMAP_ENTRY, 0x18);
	size_t bin = 0;
	for (uint32_t at = 0; at < hive->length; at += BLOCK) {
		while (bin + 1 < inv_count(builder->bins) && builder->bins[bin + 1] <= at)
			bin++;
		uint64_t entry = table + (uint64_t)(at / BLOCK) * size, start = hive->bins + builder->bins[bin];
		unsigned first = builder->bins[bin] == at;
		inv_machine_put(machine, entry, INV_F_HMAP_ENTRY_BlockAddress, hive->bins + at);
		inv_machine_put(machine, entry, INV_F_HMAP_ENTRY_BinAddress, start | first);
		inv_machine_put(machine, entry, INV_F_HMAP_ENTRY_BlockOffset, at - builder->bins[bin]);
		inv_machine_put(machine, entry, INV_F_HMAP_ENTRY_PermanentBinAddress, start | first);
	}
}

// A hive of up to 2 MiB has one table, and the directory is the member SmallDir.
static void put_storage(struct inv_machine *machine, const struct inv_forge_hive *hive, const struct builder *builder)
{
	uint64_t hhive = inv_machine_at(machine, hive->address, INV_F_CMHIVE_Hive);
	uint64_t storage = inv_machine_at(machine, hhive, INV_F_HHIVE_Storage);
	uint64_t table =
	    inv_region_take(machine, &machine->paged, inv_machine_size(machine, INV_T_HMAP_TABLE, 0x5000), BLOCK);
	inv_machine_put(machine, storage, INV_F_DUAL_Length, hive->length);
	inv_machine_put(machine, storage, INV_F_DUAL_SmallDir, table);
	inv_machine_put(machine, storage, INV_F_DUAL_Map, inv_machine_at(machine, storage, INV_F_DUAL_SmallDir));
	put_map(machine, table, hive, builder);
}

static void put_base(struct inv_machine *machine, const struct inv_forge_hive *hive)
{
	uint64_t base = inv_region_take(machine, &machine->paged, BASE_SIZE, BLOCK);
	uint64_t hhive = inv_machine_at(machine, hive->address, INV_F_CMHIVE_Hive);
	inv_machine_put(machine, base, INV_F_HBASE_BLOCK_Signature, BASE_SIGNATURE);
	inv_machine_put(machine, base, INV_F_HBASE_BLOCK_RootCell, hive->root->cell);
	inv_machine_put(machine, hhive, INV_F_HHIVE_BaseBlock, base);
	inv_machine_put(machine, hhive, INV_F_HHIVE_Signature, HIVE_SIGNATURE);
	inv_machine_put(machine, hhive, INV_F_HHIVE_Version, 5);
	if (!hive->process)
		return;
	uint64_t tuple =
	    inv_machine_pool(machine, &machine->paged, inv_machine_size(machine, INV_T_CMSI_PROCESS_TUPLE, 0x10), "CMpt");
	inv_machine_put(machine, tuple, INV_F_CMSI_PROCESS_TUPLE_ProcessReference, hive->process->address);
	inv_machine_put(machine, hhive, INV_F_HHIVE_ProcessTuple, tuple);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

static void put_names(struct inv_machine *machine, const struct inv_forge_hive *hive)
{
	const char *name = last_part(hive->path);
	inv_machine_unicode(machine, inv_machine_at(machine, hive->address, INV_F_CMHIVE_FileFullPath), hive->file);
	if (inv_machine_has(machine, INV_F_CMHIVE_FileUserName))
		inv_machine_unicode(machine, inv_machine_at(machine, hive->address, INV_F_CMHIVE_FileUserName),
		                    inv_arena_printf(machine->arena, "\\SystemRoot\\System32\\Config\\%s", name));
	if (inv_machine_has(machine, INV_F_CMHIVE_HiveRootPath))
		inv_machine_unicode(machine, inv_machine_at(machine, hive->address, INV_F_CMHIVE_HiveRootPath), hive->path);
}

struct inv_forge_hive *inv_machine_mount_hive(struct inv_machine *machine, const char *path,
                                              struct inv_forge_hive_key *root, struct inv_error *error)
{
	if (!inv_machine_has_hives(machine))
		return NULL;
	struct builder builder = {.machine = machine};
	put_key(&builder, root, NO_CELL, HIVE_ENTRY | NO_DELETE);
	close_bin(&builder);
	struct inv_forge_hive *hive = inv_arena_alloc(machine->arena, sizeof *hive);
	hive->path = inv_arena_strdup(machine->arena, path);
	hive->file = inv_arena_printf(machine->arena, VOLUME_CONFIG "%s", last_part(path));
	hive->root = root;
	hive->length = builder.size;
	hive->address = inv_machine_big_block(machine, HIVE_SIZE, "CM10", 0);
	if (place_bins(machine, hive, &builder, error) && hive->length / BLOCK <= TABLE_ENTRIES) {
		put_storage(machine, hive, &builder);
		put_base(machine, hive);
		put_names(machine, hive);
		inv_machine_list_append(machine, inv_machine_symbol(machine, INV_S_CmpHiveListHead),
		                        inv_machine_at(machine, hive->address, INV_F_CMHIVE_HiveList));
		inv_push(machine->hives, hive);
	} else {
		hive = NULL;
	}
	free(builder.bytes);
	inv_array_free(builder.bins);
	return hive;
}

bool inv_machine_write_hive(struct inv_machine *machine, const struct inv_forge_hive *hive, uint32_t offset,
                            const void *bytes, size_t size)
{
	if (offset > hive->length || size > hive->length - offset)
		return false;
	if (!hive->process) {
		inv_machine_write(machine, hive->bins + offset, bytes, size);
		return true;
	}
	const uint8_t *from = bytes;
	while (size) {
		uint64_t at = hive->bins + offset, physical;
		size_t part = BLOCK - at % BLOCK < size ? BLOCK - (size_t)(at % BLOCK) : size;
		if (!inv_maps_translate(&hive->process->maps, at, &physical))
			return false;
		inv_ram_write(machine->ram, physical, from, part);
		from += part;
		offset += (uint32_t)part;
		size -= part;
	}
	return true;
}

void inv_forge_free_registry(struct inv_machine *machine)
{
	inv_array_free(machine->hives);
	stbds_shfree(machine->kcbs);
	stbds_hmfree(machine->names);
}
