// SPDX-License-Identifier: Apache-2.0
// Formats that are known and not read, so that nobody takes their bytes for memory: each is named, with what to do.
// Magics: the public description of each format.
#include <string.h>

#include "image/format.h"

struct known {
	const char *magic;
	size_t size;
	const char *name;
	const char *remedy; // has one %s for the path, or none
};

#define UNPACK(command) "unpack it first: " command " '%s'"

static const struct known known_formats[] = {
    {"\x1f\x8b\x08", 3, "gzip", UNPACK("gunzip -k")},
    {"\xfd\x37zXZ\0", 6, "xz", UNPACK("unxz -k")},
    {"\x28\xb5\x2f\xfd", 4, "zstd", UNPACK("unzstd -k")},
    {"\x04\x22\x4d\x18", 4, "lz4", UNPACK("unlz4 -k")},
    {"\x02\x21\x4c\x18", 4, "lz4 (legacy)", UNPACK("unlz4 -k")},
    {"BZh", 3, "bzip2", UNPACK("bunzip2 -k")},
    {"PK\x03\x04", 4, "zip", UNPACK("unzip")},
    {"7z\xbc\xaf\x27\x1c", 6, "7-Zip", UNPACK("7z x")},
    {"AVML", 4, "AVML (compressed LiME)", "convert it first: avml-convert --format lime '%s' out.lime"},
    {"EVF\x09\x0d\x0a\xff\x00", 8, "EWF (EnCase)", "export it first: ewfexport -f raw '%s'"},
    {"EVF2\x0d\x0a\x81\x00", 8, "EWF2 (EnCase Ex01)", "export it first: ewfexport -f raw '%s'"},
    {"LVF\x09\x0d\x0a\xff\x00", 8, "EWF-L01 (EnCase logical)", "it holds files, not memory"},
    {"KDMV", 4, "VMDK (a VMware disk)", "it holds a disk; the memory of a VMware machine is in its .vmem"},
    {"# Disk DescriptorFile", 21, "VMDK descriptor (a VMware disk)",
     "it holds a disk; the memory of a VMware machine is in its .vmem"},
    {"\xd0\xbe\xd2\xbe", 4, "VMware state (.vmss or .vmsn)",
     "give the .vmem beside it, or convert it with vmss2core -W8"},
    {"\xd1\xba\xd1\xba", 4, "VMware state (.vmss or .vmsn)",
     "give the .vmem beside it, or convert it with vmss2core -W8"},
    {"\xd2\xbe\xd2\xbe", 4, "VMware state (.vmss or .vmsn)",
     "give the .vmem beside it, or convert it with vmss2core -W8"},
    {"\xd3\xbe\xd3\xbe", 4, "VMware state (.vmss or .vmsn)",
     "give the .vmem beside it, or convert it with vmss2core -W8"},
    {"HIBR", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"hibr", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"WAKE", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"wake", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"RSTR", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"rstr", 4, "a hibernation file", "its memory is compressed by Windows and not read yet"},
    {"MDMP", 4, "a user-mode minidump", "it holds one process; a kernel dump or memory of the machine is needed"},
    {"USERDU64", 8, "a user-mode dump", "it holds one process; a kernel dump or memory of the machine is needed"},
    {"USERDUMP", 8, "a user-mode dump", "it holds one process; a kernel dump or memory of the machine is needed"},
    {"KDUMP   ", 8, "a kdump-compressed file", "take the dump again without compression: dump-guest-memory FILE"},
    {"DISKDUMP", 8, "a diskdump file", "take the dump again without compression: dump-guest-memory FILE"},
    {"makedumpfile\0", 13, "a flattened kdump file", "take the dump again as ELF: dump-guest-memory FILE"},
    {"LibvirtQemudSave", 16, "a libvirt saved state", "restore it and take: virsh dump --memory-only DOMAIN FILE"},
    {"QEVM", 4, "a QEMU saved state", "load it and take: dump-guest-memory FILE"},
    {"QFI\xfb", 4, "QCOW2 (a QEMU disk)", "it holds a disk, not memory"},
    {"vhdxfile", 8, "VHDX (a Hyper-V disk)", "it holds a disk, not memory"},
};

enum inv_code inv_refuse_known(const struct inv_image *image, struct inv_error *error)
{
	for (size_t i = 0; i < sizeof known_formats / sizeof *known_formats; i++) {
		const struct known *known = &known_formats[i];
		if (image->size < known->size || memcmp(image->bytes, known->magic, known->size) != 0)
			continue;
		char path[768];
		size_t length = strlen(image->info.path);
		length = length < sizeof path ? length : sizeof path - 1;
		memcpy(path, image->info.path, length);
		path[length] = 0;
		const char *hole = strstr(known->remedy, "%s");
		if (!hole)
			return inv_fail(error, INV_E_UNSUPPORTED, "%s: is %s: %s", path, known->name, known->remedy);
		return inv_fail(error, INV_E_UNSUPPORTED, "%s: is %s: %.*s%s%s", path, known->name, (int)(hole - known->remedy),
		                known->remedy, path, hole + 2);
	}
	return INV_OK;
}
