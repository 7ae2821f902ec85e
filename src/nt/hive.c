// SPDX-License-Identifier: Apache-2.0
#include "nt/hive.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/text.h"
#include "nt/registry.h"
#include "nt/user.h"

#define HIVE_SIGNATURE 0xbee0bee0u
#define BASE_SIGNATURE 0x66676572u // "regf"
#define PROCESS_TYPE 3u            // DISPATCHER_HEADER.Type of a process (ProcessObject)
#define BLOCK 4096u
#define TABLE_ENTRIES 512u
#define DIRECTORY_ENTRIES 1024u
#define VOLATILE 0x80000000u
#define NO_CELL 0xffffffffu
#define FIRST_CELL 0x20u // behind the head of the first bin
#define FLAG_BITS 0xfull // of PermanentBinAddress and TemporaryBinAddress
#define LARGEST_CELL (1u << 20)
#define VALUE_COMP_NAME 0x1u
#define DATA_INSIDE 0x80000000u // of DataLength: the data stand in the member Data
#define LIST_DEPTH 2u           // a list of lists, and a list

#define KEY 0x6b6eu // "nk", and so on
#define VALUE 0x6b76u
#define LEAF 0x696cu
#define FAST_LEAF 0x666cu
#define HASH_LEAF 0x686cu
#define INDEX_ROOT 0x6972u

struct inv_cells {
	const struct inv_kernel *kernel;
	const struct inv_hive *hive;
	struct inv_user *user; // NULL: no process' user half is read
	struct inv_why no_user;
	uint64_t length[2], map[2];
	struct inv_value storage[2]; // why there is none
	uint32_t table_entry, pointer;
	struct inv_hive_coverage coverage;
};

// -- the list ---------------------------------------------------------------------------------------------------------------

static const char *text_of(const struct inv_kernel *kernel, uint64_t hive, enum inv_field field,
                           struct inv_arena *arena, size_t *letters)
{
	uint64_t where;
	if (*letters >= INV_HIVE_LETTERS || !inv_field_address(kernel, hive, field, &where))
		return "";
	const char *text = inv_read_unicode(kernel, where, arena, NULL);
	*letters += strlen(text);
	return text;
}

// ProcessReference is the process itself, as the name has it: not verified. What is there has to begin as a process does; else the process
// counts that CmpRegistryProcess names.
static struct inv_value process_of(const struct inv_kernel *kernel, uint64_t hhive)
{
	struct inv_value tuple = inv_field(kernel, hhive, INV_F_HHIVE_ProcessTuple);
	if (tuple.ok && tuple.u == 0)
		return tuple; // its bins are the kernel's
	struct inv_value process = tuple.ok ? inv_field(kernel, tuple.u, INV_F_CMSI_PROCESS_TUPLE_ProcessReference) : tuple;
	struct inv_value type = process.ok ? inv_field(kernel, process.u, INV_F_DISPATCHER_HEADER_Type) : process;
	if (type.ok && type.u == PROCESS_TYPE)
		return process;
	struct inv_value registry = inv_kernel_symbol(kernel, INV_S_CmpRegistryProcess, NULL);
	return registry.ok ? inv_read_u64(kernel, registry.u) : registry;
}

static void read_hive(const struct inv_kernel *kernel, uint64_t address, struct inv_arena *arena, size_t *letters,
                      struct inv_hive *hive)
{
	*hive = (struct inv_hive){.address = address};
	hive->root_path = text_of(kernel, address, INV_F_CMHIVE_HiveRootPath, arena, letters);
	hive->user_name = text_of(kernel, address, INV_F_CMHIVE_FileUserName, arena, letters);
	hive->file = text_of(kernel, address, INV_F_CMHIVE_FileFullPath, arena, letters);
	struct inv_value hhive = inv_field(kernel, address, INV_F_CMHIVE_Hive);
	struct inv_value signature = inv_field(kernel, hhive.ok ? hhive.u : 0, INV_F_HHIVE_Signature);
	hive->is_signed = signature.ok && signature.u == HIVE_SIGNATURE;
	hive->process = process_of(kernel, hhive.ok ? hhive.u : 0);
}

static bool is_known(const struct inv_hives *hives, uint64_t address)
{
	for (size_t i = 0; i < inv_count(hives->hives); i++)
		if (hives->hives[i].address == address)
			return true;
	return false;
}

// From the head by Flink, or by Blink; false: the way did not come back.
static bool walk(const struct inv_kernel *kernel, uint64_t head, bool backwards, struct inv_arena *arena,
                 struct inv_hives *hives)
{
	uint64_t links;
	const uint64_t step = backwards ? (kernel->arch == INV_ARCH_X86 ? 4 : 8) : 0;
	if (!inv_field_address(kernel, 0, INV_F_CMHIVE_HiveList, &links))
		return false;
	uint64_t at = head;
	for (;;) {
		struct inv_value next =
		    kernel->arch == INV_ARCH_X86 ? inv_read_u32(kernel, at + step) : inv_read_u64(kernel, at + step);
		if (!next.ok) {
			if (!hives->odd && hives->why.reason == INV_PRESENT)
				hives->why = next.why;
			return false;
		}
		if (next.u == head)
			return true;
		at = next.u;
		if (at < links || is_known(hives, at - links) || inv_count(hives->hives) == INV_HIVE_BOUND) {
			if (!backwards)
				hives->odd = at < links                                  ? "a link leads nowhere"
				             : inv_count(hives->hives) == INV_HIVE_BOUND ? "it has more hives than are read"
				                                                         : "it leads back into itself";
			return false;
		}
		struct inv_hive hive;
		read_hive(kernel, at - links, arena, &hives->letters, &hive);
		inv_push(hives->hives, hive);
	}
}

void inv_hives_read(const struct inv_kernel *kernel, struct inv_arena *arena, struct inv_hives *hives)
{
	*hives = (struct inv_hives){0};
	uint64_t where;
	struct inv_value head = inv_kernel_symbol(kernel, INV_S_CmpHiveListHead, NULL);
	if (!head.ok)
		hives->unknown = "where the list of hives begins is not known (CmpHiveListHead)";
	else if (!inv_field_address(kernel, 0, INV_F_CMHIVE_HiveList, &where))
		hives->unknown = "the layout of hives is not known for this kernel";
	if (hives->unknown)
		return;
	hives->complete = walk(kernel, head.u, false, arena, hives);
	if (!hives->complete)
		(void)walk(kernel, head.u, true, arena, hives);
}

void inv_hives_free(struct inv_hives *hives)
{
	inv_array_free(hives->hives);
	*hives = (struct inv_hives){0};
}

// -- addresses --------------------------------------------------------------------------------------------------------------

static void open_storage(struct inv_cells *cells, unsigned part)
{
	const struct inv_kernel *kernel = cells->kernel;
	uint32_t size = kernel->layout ? kernel->layout->size[INV_T_DUAL] : 0;
	struct inv_value hhive = inv_field(kernel, cells->hive->address, INV_F_CMHIVE_Hive);
	struct inv_value storage = inv_field(kernel, hhive.ok ? hhive.u : 0, INV_F_HHIVE_Storage);
	if (!storage.ok || !size) {
		cells->storage[part] = storage.ok ? inv_field(kernel, 0, INV_F_DUAL_Map) : storage;
		cells->storage[part].ok = false;
		return;
	}
	uint64_t at = storage.u + (uint64_t)part * size;
	struct inv_value length = inv_field(kernel, at, INV_F_DUAL_Length), map = inv_field(kernel, at, INV_F_DUAL_Map);
	cells->storage[part] = length.ok ? map : length;
	cells->length[part] = length.ok ? length.u & ~VOLATILE : 0;
	cells->map[part] = map.ok ? map.u : 0;
}

struct inv_cells *inv_cells_open(const struct inv_kernel *kernel, const struct inv_hive *hive)
{
	struct inv_cells *cells = inv_alloc(sizeof *cells);
	*cells = (struct inv_cells){.kernel = kernel, .hive = hive, .pointer = kernel->arch == INV_ARCH_X86 ? 4 : 8};
	cells->table_entry = kernel->layout ? kernel->layout->size[INV_T_HMAP_ENTRY] : 0;
	if (hive->process.ok && hive->process.u)
		cells->user = inv_user_open(kernel, hive->process.u, &cells->no_user);
	else if (!hive->process.ok)
		cells->no_user = hive->process.why;
	open_storage(cells, 0);
	open_storage(cells, 1);
	return cells;
}

void inv_cells_close(struct inv_cells *cells)
{
	if (!cells)
		return;
	inv_user_close(cells->user);
	free(cells);
}

const struct inv_hive_coverage *inv_cells_coverage(const struct inv_cells *cells)
{
	return &cells->coverage;
}

static struct inv_value outside(uint64_t address)
{
	return (struct inv_value){.address = address};
}

static struct inv_value read_pointer(const struct inv_cells *cells, uint64_t address)
{
	return cells->pointer == 4 ? inv_read_u32(cells->kernel, address) : inv_read_u64(cells->kernel, address);
}

// Where an entry says that its block stands; 0: nowhere.
static struct inv_value block_of(const struct inv_cells *cells, uint64_t entry)
{
	const struct inv_kernel *kernel = cells->kernel;
	uint64_t where;
	if (inv_field_address(kernel, 0, INV_F_HMAP_ENTRY_BlockAddress, &where))
		return inv_field(kernel, entry, INV_F_HMAP_ENTRY_BlockAddress);
	struct inv_value offset = inv_field(kernel, entry, INV_F_HMAP_ENTRY_BlockOffset);
	struct inv_value bin = inv_field(kernel, entry, INV_F_HMAP_ENTRY_PermanentBinAddress);
	if (bin.ok && !(bin.u & ~FLAG_BITS) && inv_field_address(kernel, 0, INV_F_HMAP_ENTRY_TemporaryBinAddress, &where))
		bin = inv_field(kernel, entry, INV_F_HMAP_ENTRY_TemporaryBinAddress);
	if (!offset.ok || !bin.ok)
		return offset.ok ? bin : offset;
	bin.u &= ~FLAG_BITS;
	if (bin.u)
		bin.u += offset.u;
	return bin;
}

struct inv_value inv_cells_address(const struct inv_cells *cells, uint32_t offset)
{
	unsigned part = offset >> 31;
	if (!cells->storage[part].ok)
		return cells->storage[part];
	uint32_t within = offset & ~VOLATILE, block = within / BLOCK;
	if (within >= cells->length[part] || block / TABLE_ENTRIES >= DIRECTORY_ENTRIES || !cells->table_entry)
		return outside(cells->map[part]);
	struct inv_value table = read_pointer(cells, cells->map[part] + (uint64_t)(block / TABLE_ENTRIES) * cells->pointer);
	if (!table.ok)
		return table;
	struct inv_value at = block_of(cells, table.u + (uint64_t)(block % TABLE_ENTRIES) * cells->table_entry);
	if (at.ok && at.u == 0) // the configuration manager has not mapped it
		return (struct inv_value){.address = at.address, .why = {.reason = INV_NO_POINTER, .address = at.address}};
	at.u += within % BLOCK;
	return at;
}

static bool read_address(const struct inv_cells *cells, uint64_t address, void *bytes, size_t size, struct inv_why *why)
{
	if (address >> 63 || !cells->user) {
		if (inv_space_read(cells->kernel->space, address, bytes, size, why) == size)
			return true;
		if (!(address >> 63) && cells->no_user.reason != INV_PRESENT)
			*why = cells->no_user;
		return false;
	}
	return inv_space_read(inv_user_space(cells->user), address, bytes, size, why) == size;
}

// Bytes by their offset in the hive; `why` INV_PRESENT when they stand outside of it.
static bool read_bytes(const struct inv_cells *cells, uint32_t offset, void *buffer, size_t size, struct inv_why *why)
{
	uint8_t *to = buffer;
	while (size) {
		size_t part = BLOCK - offset % BLOCK < size ? BLOCK - offset % BLOCK : size;
		struct inv_value at = inv_cells_address(cells, offset);
		*why = at.why;
		if (!at.ok || !read_address(cells, at.u, to, part, why))
			return false;
		to += part;
		size -= part;
		if ((offset & ~VOLATILE) + part > ~VOLATILE) { // past the last offset of this part
			*why = (struct inv_why){0};
			return size == 0;
		}
		offset += (uint32_t)part;
	}
	return true;
}

// -- cells ------------------------------------------------------------------------------------------------------------------

static bool miss(struct inv_cells *cells, const struct inv_why *why)
{
	if (why->reason == INV_PRESENT) {
		cells->coverage.odd++;
		return false;
	}
	if (cells->coverage.unreadable++ == 0)
		cells->coverage.why = *why;
	return false;
}

static bool is_odd(struct inv_cells *cells)
{
	cells->coverage.odd++;
	return false;
}

// The first bytes of a cell, as many as it has, and of its content up to `room`. A cell in use has a negative size.
static bool read_cell(struct inv_cells *cells, uint32_t cell, uint8_t *bytes, size_t room, size_t *got)
{
	*got = 0;
	if (cells->coverage.read == INV_HIVE_BUDGET) {
		cells->coverage.bounded = true;
		return false;
	}
	cells->coverage.read++;
	uint8_t head[4];
	struct inv_why why = {0};
	if (cell > NO_CELL - 8)
		return is_odd(cells);
	if (!read_bytes(cells, cell, head, sizeof head, &why))
		return miss(cells, &why);
	uint32_t size = 0u - inv_le32(head);
	if (cell % 8 || size < 8 || size > LARGEST_CELL)
		return is_odd(cells);
	size -= 4;
	*got = size < room ? size : room;
	return read_bytes(cells, cell + 4, bytes, *got, &why) || miss(cells, &why);
}

// A member of what stands in a cell; false: it is not within the bytes that were read.
static bool member(const struct inv_cells *cells, const uint8_t *bytes, size_t size, enum inv_field field,
                   uint32_t *value)
{
	uint64_t offset;
	*value = 0;
	if (!inv_field_address(cells->kernel, 0, field, &offset))
		return false;
	size_t width = inv_field_info(field)->kind == INV_U16 ? 2 : 4;
	if (offset > size || width > size - offset)
		return false;
	*value = width == 2 ? inv_le16(bytes + offset) : inv_le32(bytes + offset);
	return true;
}

static bool name_of(const struct inv_cells *cells, const uint8_t *bytes, size_t size, enum inv_field field,
                    uint32_t length, bool narrow, struct inv_arena *arena, const char **name)
{
	uint64_t offset;
	if (!inv_field_address(cells->kernel, 0, field, &offset) || offset > size || length > size - offset)
		return false;
	*name =
	    narrow ? inv_bytes_to_utf8(arena, bytes + offset, length) : inv_utf16_to_utf8(arena, bytes + offset, length);
	return true;
}

static bool read_pair(const struct inv_cells *cells, const uint8_t *bytes, size_t size, enum inv_field field,
                      uint32_t pair[2])
{
	uint64_t offset;
	if (!inv_field_address(cells->kernel, 0, field, &offset) || offset > size || size - offset < 8)
		return false;
	pair[0] = inv_le32(bytes + offset);
	pair[1] = inv_le32(bytes + offset + 4);
	return true;
}

static bool read_key(struct inv_cells *cells, uint32_t cell, struct inv_arena *arena, struct inv_hive_key *key)
{
	uint8_t bytes[0x4c + 2 * INV_KEY_NAME];
	size_t size;
	uint32_t signature, flags, length;
	*key = (struct inv_hive_key){.cell = cell, .name = ""};
	if (!read_cell(cells, cell, bytes, sizeof bytes, &size))
		return false;
	if (!member(cells, bytes, size, INV_F_CM_KEY_NODE_Signature, &signature) || signature != KEY ||
	    !member(cells, bytes, size, INV_F_CM_KEY_NODE_Flags, &flags) ||
	    !member(cells, bytes, size, INV_F_CM_KEY_NODE_NameLength, &length) ||
	    !member(cells, bytes, size, INV_F_CM_KEY_NODE_ValueCount, &key->value_count) ||
	    !member(cells, bytes, size, INV_F_CM_KEY_NODE_ValueList, &key->value_list) ||
	    !read_pair(cells, bytes, size, INV_F_CM_KEY_NODE_SubKeyCounts, key->counts) ||
	    !read_pair(cells, bytes, size, INV_F_CM_KEY_NODE_SubKeyLists, key->lists) ||
	    !name_of(cells, bytes, size, INV_F_CM_KEY_NODE_Name, length, flags & INV_KEY_COMP_NAME, arena, &key->name))
		return is_odd(cells);
	key->flags = (uint16_t)flags;
	return true;
}

bool inv_hive_root(struct inv_cells *cells, struct inv_arena *arena, struct inv_hive_key *key)
{
	const struct inv_kernel *kernel = cells->kernel;
	struct inv_value hhive = inv_field(kernel, cells->hive->address, INV_F_CMHIVE_Hive);
	struct inv_value base = inv_field(kernel, hhive.ok ? hhive.u : 0, INV_F_HHIVE_BaseBlock);
	struct inv_value signature = inv_field(kernel, base.ok ? base.u : 0, INV_F_HBASE_BLOCK_Signature);
	struct inv_value root = inv_field(kernel, base.ok ? base.u : 0, INV_F_HBASE_BLOCK_RootCell);
	bool stands = signature.ok && signature.u == BASE_SIGNATURE && root.ok;
	return read_key(cells, stands ? (uint32_t)root.u : FIRST_CELL, arena, key);
}

// -- keys beneath -----------------------------------------------------------------------------------------------------------

struct walk {
	struct inv_cells *cells;
	struct inv_arena *arena;
	bool (*each)(void *context, const struct inv_hive_key *key);
	void *context;
	size_t left; // keys
};

static bool walk_list(struct walk *walk, uint32_t list, unsigned depth);

// false: the caller wants no more.
static bool take_item(struct walk *walk, uint32_t signature, uint32_t cell, unsigned depth)
{
	struct inv_hive_key key;
	if (signature == INDEX_ROOT)
		return walk_list(walk, cell, depth + 1);
	if (walk->left == 0)
		return false;
	walk->left--;
	return !read_key(walk->cells, cell, walk->arena, &key) || walk->each(walk->context, &key);
}

static bool walk_list(struct walk *walk, uint32_t list, unsigned depth)
{
	struct inv_cells *cells = walk->cells;
	uint8_t head[8];
	size_t size;
	uint32_t signature, count;
	uint64_t items;
	if (!read_cell(cells, list, head, sizeof head, &size))
		return true;
	bool known = member(cells, head, size, INV_F_CM_KEY_INDEX_Signature, &signature) &&
	             member(cells, head, size, INV_F_CM_KEY_INDEX_Count, &count) &&
	             inv_field_address(cells->kernel, 0, INV_F_CM_KEY_INDEX_List, &items);
	bool leaf = known && (signature == LEAF || signature == FAST_LEAF || signature == HASH_LEAF);
	if (!leaf && !(known && signature == INDEX_ROOT && depth + 1 < LIST_DEPTH)) {
		(void)is_odd(cells);
		return true;
	}
	uint32_t step = signature == LEAF || signature == INDEX_ROOT ? 4 : 8; // a fast leaf has a hint, a hash leaf a hash
	for (uint32_t i = 0; i < count; i++) {
		uint8_t item[4];
		struct inv_why why = {0};
		if (!read_bytes(cells, list + 4 + (uint32_t)items + i * step, item, sizeof item, &why)) {
			(void)miss(cells, &why);
			return true;
		}
		if (!take_item(walk, signature, inv_le32(item), depth))
			return false;
	}
	return true;
}

void inv_hive_keys(struct inv_cells *cells, const struct inv_hive_key *key, struct inv_arena *arena,
                   bool (*each)(void *context, const struct inv_hive_key *key), void *context)
{
	struct walk walk = {cells, arena, each, context, INV_HIVE_KEYS};
	for (unsigned part = 0; part < 2; part++)
		if (key->counts[part] && key->lists[part] != NO_CELL && !walk_list(&walk, key->lists[part], 0))
			return;
}

struct search {
	const char *name;
	size_t length;
	bool found;
	struct inv_hive_key *key;
};

static bool compare(void *context, const struct inv_hive_key *key)
{
	struct search *search = context;
	if (strlen(key->name) != search->length || strncasecmp(key->name, search->name, search->length) != 0)
		return true;
	*search->key = *key;
	search->found = true;
	return false;
}

bool inv_hive_find(struct inv_cells *cells, const struct inv_hive_key *from, const char *path, struct inv_arena *arena,
                   struct inv_hive_key *key)
{
	*key = *from;
	while (*path) {
		struct inv_hive_key at = *key;
		struct search search = {.name = path, .length = strcspn(path, "\\"), .key = key};
		struct inv_arena *names = inv_arena_new(); // of all that are passed
		inv_hive_keys(cells, &at, names, compare, &search);
		if (search.found)
			key->name = inv_arena_strdup(arena, key->name);
		inv_arena_free(names);
		if (!search.found)
			return false;
		path += search.length;
		path += *path == '\\';
	}
	return true;
}

// -- values -----------------------------------------------------------------------------------------------------------------

static bool read_data(struct inv_cells *cells, const uint8_t *bytes, size_t size, struct inv_hive_value *value)
{
	uint32_t length, data;
	uint64_t offset;
	if (!member(cells, bytes, size, INV_F_CM_KEY_VALUE_Type, &value->type) ||
	    !member(cells, bytes, size, INV_F_CM_KEY_VALUE_DataLength, &length) ||
	    !member(cells, bytes, size, INV_F_CM_KEY_VALUE_Data, &data) ||
	    !inv_field_address(cells->kernel, 0, INV_F_CM_KEY_VALUE_Data, &offset))
		return is_odd(cells);
	if (length & DATA_INSIDE) {
		length &= ~DATA_INSIDE;
		if (length > 4)
			return is_odd(cells);
		memcpy(value->data, bytes + offset, length);
		value->size = length;
		value->whole = true;
		return true;
	}
	size_t wanted = length < INV_HIVE_TEXT ? length : INV_HIVE_TEXT;
	if (wanted == 0)
		return value->whole = true;
	if (!read_cell(cells, data, value->data, wanted, &value->size))
		return false;
	value->whole = value->size == length;
	return value->size == wanted || is_odd(cells);
}

bool inv_hive_value(struct inv_cells *cells, const struct inv_hive_key *key, const char *name,
                    struct inv_hive_value *value)
{
	*value = (struct inv_hive_value){0};
	struct inv_arena *arena = inv_arena_new();
	bool found = false;
	uint32_t count = key->value_count < INV_HIVE_VALUES ? key->value_count : INV_HIVE_VALUES;
	for (uint32_t i = 0; i < count && !found && key->value_list <= NO_CELL - 8; i++) {
		uint8_t item[4], bytes[0x14 + 2 * INV_KEY_NAME];
		struct inv_why why = {0};
		size_t size;
		uint32_t signature, length, flags;
		const char *text = "";
		if (!read_bytes(cells, key->value_list + 4 + 4 * i, item, sizeof item, &why)) {
			(void)miss(cells, &why);
			break;
		}
		if (!read_cell(cells, inv_le32(item), bytes, sizeof bytes, &size))
			continue;
		if (!member(cells, bytes, size, INV_F_CM_KEY_VALUE_Signature, &signature) || signature != VALUE ||
		    !member(cells, bytes, size, INV_F_CM_KEY_VALUE_NameLength, &length) ||
		    !member(cells, bytes, size, INV_F_CM_KEY_VALUE_Flags, &flags)) {
			(void)is_odd(cells);
			continue;
		}
		// A longer name than is read is none that is asked for.
		found = name_of(cells, bytes, size, INV_F_CM_KEY_VALUE_Name, length, flags & VALUE_COMP_NAME, arena, &text) &&
		        strcasecmp(text, name) == 0 && read_data(cells, bytes, size, value);
	}
	inv_arena_free(arena);
	return found;
}
