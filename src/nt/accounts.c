// SPDX-License-Identifier: Apache-2.0
#include "nt/accounts.h"

#include <nettle/sha1.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/text.h"

#define SOFTWARE "\\REGISTRY\\MACHINE\\SOFTWARE"
#define SYSTEM "\\REGISTRY\\MACHINE\\SYSTEM"
#define PROFILE_LIST "Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define SERVICE_AUTHORITY 5u // S-1-5-80 (SECURITY_SERVICE_ID_BASE_RID, winnt.h)
#define SERVICE_BASE 80u
#define LONGEST_NAME 256u // characters of a service's name (learn.microsoft.com, CreateService)
#define REG_DWORD 4u
#define LAST_CONTROL_SET 999u

const char *inv_account_source_name(enum inv_account_source source)
{
	static const char *const names[] = {[INV_ACCOUNT_WELL_KNOWN] = "well-known",
	                                    [INV_ACCOUNT_PROFILE] = "profile",
	                                    [INV_ACCOUNT_SERVICE] = "service",
	                                    [INV_ACCOUNT_SESSION] = "logon session"};
	return (unsigned)source < sizeof names / sizeof *names ? names[source] : NULL;
}

// -- services' SIDs ---------------------------------------------------------------------------------------------------------

// One character of UTF-8, of well-formed text of our own making; its length.
static size_t decode(const char *text, uint32_t *point)
{
	const unsigned char *b = (const unsigned char *)text;
	size_t length = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	*point = length == 1 ? b[0] : b[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return i;
		*point = *point << 6 | (b[i] & 0x3f);
	}
	return length;
}

static uint32_t upper(uint32_t point)
{
	if ((point >= 'a' && point <= 'z') || (point >= 0xe0 && point <= 0xfe && point != 0xf7))
		return point - 0x20;
	return point == 0xff ? 0x178 : point;
}

void inv_sid_of_service(const char *name, struct inv_sid *sid)
{
	uint8_t units[4 * LONGEST_NAME], digest[SHA1_DIGEST_SIZE];
	size_t size = 0;
	uint32_t point;
	for (size_t i = 0; name[i] && size + 4 <= sizeof units;) {
		i += decode(name + i, &point);
		point = upper(point);
		if (point > 0xffff) {
			inv_put16(units + size, (uint16_t)(0xd800 + ((point - 0x10000) >> 10)));
			size += 2;
			point = 0xdc00 + (point & 0x3ff);
		}
		inv_put16(units + size, (uint16_t)point);
		size += 2;
	}
	struct sha1_ctx hash;
	sha1_init(&hash);
	sha1_update(&hash, size, units);
	sha1_digest(&hash, sizeof digest, digest);
	*sid = (struct inv_sid){.revision = 1, .count = 6, .authority = SERVICE_AUTHORITY, .sub = {SERVICE_BASE}};
	for (size_t i = 0; i < 5; i++)
		sid->sub[1 + i] = inv_le32(digest + 4 * i);
}

// -- hives ------------------------------------------------------------------------------------------------------------------

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

// By the key that it is mounted as; a hive that does not say goes by the file that it came from.
static bool is_at(const struct inv_hive *hive, const char *path)
{
	if (*hive->root_path)
		return strcasecmp(hive->root_path, path) == 0;
	const char *file = *hive->file ? hive->file : hive->user_name;
	return *file && strcasecmp(last_part(file), last_part(path)) == 0;
}

static const struct inv_hive *find_hive(const struct inv_accounts *accounts, const char *path)
{
	for (size_t i = 0; i < inv_count(accounts->hives.hives); i++)
		if (is_at(&accounts->hives.hives[i], path) && accounts->hives.hives[i].is_signed)
			return &accounts->hives.hives[i];
	return NULL;
}

struct reading {
	const struct inv_kernel *kernel;
	struct inv_accounts *accounts;
	struct inv_cells *cells;
};

static const char *text_value(struct reading *reading, const struct inv_hive_key *key, const char *name)
{
	struct inv_hive_value value;
	if (!inv_hive_value(reading->cells, key, name, &value))
		return "";
	while (value.size >= 2 && inv_le16(value.data + value.size - 2) == 0)
		value.size -= 2;
	return inv_utf16_to_utf8(reading->accounts->arena, value.data, value.size);
}

static bool add_profile(void *context, const struct inv_hive_key *key)
{
	struct reading *reading = context;
	struct inv_profile profile = {.sid = key->name, .path = text_value(reading, key, "ProfileImagePath")};
	profile.name = last_part(profile.path);
	inv_push(reading->accounts->profiles, profile);
	return inv_count(reading->accounts->profiles) < INV_PROFILES;
}

static bool add_service(void *context, const struct inv_hive_key *key)
{
	struct reading *reading = context;
	struct inv_service service = {.name = key->name};
	inv_sid_of_service(key->name, &service.sid);
	inv_push(reading->accounts->services, service);
	return inv_count(reading->accounts->services) < INV_SERVICES;
}

static const char *services_path(struct reading *reading, const struct inv_hive_key *root)
{
	struct inv_arena *arena = reading->accounts->arena;
	struct inv_hive_key select;
	struct inv_hive_value current;
	uint32_t number = 1;
	if (inv_hive_find(reading->cells, root, "Select", arena, &select) &&
	    inv_hive_value(reading->cells, &select, "Current", &current) && current.type == REG_DWORD && current.size == 4)
		number = inv_le32(current.data);
	if (number == 0 || number > LAST_CONTROL_SET)
		number = 1;
	return inv_arena_printf(arena, "ControlSet%03u\\Services", (unsigned)number);
}

static void read_keys(struct reading *reading, struct inv_account_hive *hive, const char *key,
                      bool (*add)(void *context, const struct inv_hive_key *key))
{
	const struct inv_hive *found = find_hive(reading->accounts, hive->path);
	struct inv_arena *arena = reading->accounts->arena;
	struct inv_hive_key root, at;
	hive->key = key ? key : "ControlSet001\\Services";
	if (!found)
		return;
	hive->address = found->address;
	reading->cells = inv_cells_open(reading->kernel, found);
	if (inv_hive_root(reading->cells, arena, &root)) {
		hive->key = key ? key : services_path(reading, &root);
		hive->found = inv_hive_find(reading->cells, &root, hive->key, arena, &at);
		if (hive->found)
			inv_hive_keys(reading->cells, &at, arena, add, reading);
	}
	hive->coverage = *inv_cells_coverage(reading->cells);
	inv_cells_close(reading->cells);
}

static int by_sid(const void *a, const void *b)
{
	const struct inv_service *left = a, *right = b;
	int order = memcmp(left->sid.sub, right->sid.sub, sizeof left->sid.sub);
	return order ? order : strcmp(left->name, right->name);
}

void inv_accounts_read(const struct inv_kernel *kernel, struct inv_accounts *accounts)
{
	*accounts =
	    (struct inv_accounts){.arena = inv_arena_new(), .software = {.path = SOFTWARE}, .system = {.path = SYSTEM}};
	struct reading reading = {.kernel = kernel, .accounts = accounts};
	inv_hives_read(kernel, accounts->arena, &accounts->hives);
	read_keys(&reading, &accounts->software, PROFILE_LIST, add_profile);
	read_keys(&reading, &accounts->system, NULL, add_service);
	accounts->software.coverage.bounded |= inv_count(accounts->profiles) == INV_PROFILES;
	accounts->system.coverage.bounded |= inv_count(accounts->services) == INV_SERVICES;
	if (accounts->services)
		qsort(accounts->services, inv_count(accounts->services), sizeof *accounts->services, by_sid);
}

void inv_accounts_free(struct inv_accounts *accounts)
{
	inv_hives_free(&accounts->hives);
	inv_array_free(accounts->profiles);
	inv_array_free(accounts->services);
	inv_arena_free(accounts->arena);
	*accounts = (struct inv_accounts){0};
}

// -- names ------------------------------------------------------------------------------------------------------------------

static int order_of(const void *key, const void *element)
{
	const struct inv_sid *sid = key;
	const struct inv_service *service = element;
	return memcmp(sid->sub, service->sid.sub, sizeof sid->sub);
}

static const char *service_name(const struct inv_accounts *accounts, const struct inv_sid *sid)
{
	if (!accounts->services || sid->authority != SERVICE_AUTHORITY || sid->count != 6 || sid->sub[0] != SERVICE_BASE)
		return NULL;
	const struct inv_service *found =
	    bsearch(sid, accounts->services, inv_count(accounts->services), sizeof *accounts->services, order_of);
	return found ? found->name : NULL;
}

static const char *profile_name(const struct inv_accounts *accounts, const struct inv_sid *sid)
{
	char text[INV_SID_TEXT_SIZE];
	(void)inv_sid_format(sid, text);
	for (size_t i = 0; i < inv_count(accounts->profiles); i++)
		if (strcasecmp(accounts->profiles[i].sid, text) == 0 && *accounts->profiles[i].name)
			return accounts->profiles[i].name;
	return NULL;
}

const char *inv_account_name(const struct inv_accounts *accounts, const struct inv_sid *sid,
                             enum inv_account_source *source)
{
	const char *name = service_name(accounts, sid); // first: every service's SID is well-known as one of some service
	*source = INV_ACCOUNT_SERVICE;
	if (!name && (name = inv_sid_name(sid)))
		*source = INV_ACCOUNT_WELL_KNOWN;
	if (!name && (name = profile_name(accounts, sid)))
		*source = INV_ACCOUNT_PROFILE;
	if (!name)
		*source = INV_ACCOUNT_NONE;
	return name;
}
