// SPDX-License-Identifier: Apache-2.0
// Names of files as the kernel, the loader and programs write them, compared without knowing which drive is which volume.
#ifndef INV_INVARIANT_PATH_H
#define INV_INVARIANT_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The last component; the whole text when it has no backslash.
const char *inv_path_base(const char *path);
// What follows the volume: "\Windows\a.exe" of "\Device\HarddiskVolume3\Windows\a.exe", "\??\C:\Windows\a.exe", "C:\Windows\a.exe";
// "\server\share\a.exe" of "\\server\share\a.exe" and "\Device\Mup\server\share\a.exe". NULL: it begins with no volume.
const char *inv_path_in_volume(const char *path);

enum inv_alike {
	INV_PATH_SAME,
	INV_PATH_REDIRECTED, // the same but for System32, which WOW64 turns into SysWOW64 for 32-bit programs
	INV_PATH_OTHER,
	INV_PATH_UNSURE, // a short name, or letters whose upper case is not known here: nothing can be said
};
// Both begin behind the volume. Windows compares names without regard to case.
enum inv_alike inv_path_compare(const char *one, const char *other);
// `path` in any form against one that begins behind the volume.
enum inv_alike inv_path_names(const char *path, const char *in_volume);
enum inv_alike inv_name_compare(const char *one, const char *other); // of single components

#endif
