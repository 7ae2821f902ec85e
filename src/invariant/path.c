// SPDX-License-Identifier: Apache-2.0
#include "invariant/path.h"

#include <string.h>
#include <strings.h>

const char *inv_path_base(const char *path)
{
	const char *slash = strrchr(path, '\\');
	return slash ? slash + 1 : path;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *skip(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);
	return strncasecmp(path, prefix, length) == 0 ? path + length : NULL;
}

static const char *behind_device(const char *path)
{
	const char *rest = skip(path, "\\Device\\");
	rest = rest ? strchr(rest, '\\') : NULL;
	return rest && rest[1] ? rest : NULL;
}

const char *inv_path_in_volume(const char *path)
{
	static const char *const forms[] = {"\\??\\UNC", "\\\\?\\UNC", "\\??\\", "\\\\?\\", "\\\\.\\"};
	if (behind_device(path))
		return behind_device(path);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const char *rest = skip(path, forms[i]);
		if (rest && i < 2)
			return *rest == '\\' ? rest : NULL;
		if (rest) {
			path = rest;
			break;
		}
	}
	const char *global = skip(path, "GLOBALROOT");
	if (global)
		return behind_device(global);
	if (is_letter(path[0]) && path[1] == ':' && path[2] == '\\')
		return path + 2;
	return path[0] == '\\' && path[1] == '\\' && path[2] && path[2] != '\\' ? path + 1 : NULL;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80 || *text == '~')
			return false;
	return true;
}

// Does the text without its first "\SysWOW64\" or "\System32\" at the same place agree with the other?
static bool is_redirected(const char *one, const char *other)
{
	for (const char *at = strchr(one, '\\'); at; at = strchr(at + 1, '\\')) {
		size_t before = (size_t)(at - one);
		if (strncasecmp(one, other, before) != 0)
			return false;
		const char *asked = skip(at, "\\System32\\"), *opened = skip(other + before, "\\SysWOW64\\");
		if (asked && opened)
			return strcasecmp(asked, opened) == 0;
	}
	return false;
}

enum inv_alike inv_name_compare(const char *one, const char *other)
{
	if (strcasecmp(one, other) == 0)
		return INV_PATH_SAME;
	return is_plain(one) && is_plain(other) ? INV_PATH_OTHER : INV_PATH_UNSURE;
}

enum inv_alike inv_path_compare(const char *one, const char *other)
{
	if (strcasecmp(one, other) == 0)
		return INV_PATH_SAME;
	if (is_redirected(one, other) || is_redirected(other, one))
		return INV_PATH_REDIRECTED;
	return is_plain(one) && is_plain(other) ? INV_PATH_OTHER : INV_PATH_UNSURE;
}

// "\SystemRoot" is the one directory that Windows stands in.
static enum inv_alike compare_with_root(const char *rest, const char *in_volume)
{
	const char *behind = in_volume[0] == '\\' ? strchr(in_volume + 1, '\\') : NULL;
	return behind ? inv_path_compare(rest, behind) : INV_PATH_UNSURE;
}

enum inv_alike inv_path_names(const char *path, const char *in_volume)
{
	const char *rest = skip(path, "\\SystemRoot");
	if (rest && *rest == '\\')
		return compare_with_root(rest, in_volume);
	rest = inv_path_in_volume(path);
	return rest ? inv_path_compare(rest, in_volume) : INV_PATH_UNSURE;
}
