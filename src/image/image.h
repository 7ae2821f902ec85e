// SPDX-License-Identifier: Apache-2.0
// An image: memory as acquired. Every format answers this one interface: which bytes stand at which
// physical address, and what the format's own header claims about the machine. Claims are not truth: the
// kernel floor compares them with what memory says.
//
// Files are mapped, never loaded. All memory returned by these functions belongs to the image and lives
// until inv_image_close().
#ifndef INV_IMAGE_IMAGE_H
#define INV_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

#define INV_PAGE_SIZE 4096u

enum inv_format {
	INV_FORMAT_RAW,
	INV_FORMAT_LIME,
	INV_FORMAT_ELF,
	INV_FORMAT_CRASH_FULL,          // crash dump type 1
	INV_FORMAT_CRASH_KERNEL,        // type 2, summary dump (bitmap "SDMP")
	INV_FORMAT_CRASH_TRIAGE,        // type 4
	INV_FORMAT_CRASH_BITMAP_FULL,   // type 5
	INV_FORMAT_CRASH_BITMAP_KERNEL, // type 6 (and 7, automatic)
	INV_FORMAT_CRASH_ACTIVE,        // types 8, 9, 10: lists of ranges ("RDMP"), as live-dump commands write them
	INV_FORMAT_CRASH_X86,           // 32-bit crash dump ("PAGEDUMP"): header only
};

enum inv_arch { INV_ARCH_UNKNOWN, INV_ARCH_X86, INV_ARCH_X64, INV_ARCH_ARM64 };

// One value that a header claims, and where in the file it stands.
struct inv_claim {
	bool present;
	uint64_t value;
	uint64_t offset;
};

// The state of one CPU as the format's own notes give it (ELF QEMU notes; none in crash dumps, whose
// CONTEXT has no control registers).
struct inv_cpu_claim {
	uint64_t cr0, cr3, cr4;
	uint64_t rip, rsp;
	uint64_t gs_base, kernel_gs_base;
	uint64_t offset; // of the note in the file
};

#define INV_MAX_CPUS 2048

// What the header of the format claims. Absent claims have present == false.
struct inv_header {
	struct inv_claim major;    // 15 free build, 12 checked build
	struct inv_claim build;    // "MinorVersion" of a crash dump
	struct inv_claim dtb;      // DirectoryTableBase
	struct inv_claim machine;  // IMAGE_FILE_MACHINE_*
	struct inv_claim cpus;     // NumberProcessors
	struct inv_claim bugcheck; // BugCheckCode
	struct inv_claim bugcheck_parameter[4];
	struct inv_claim kdbg;                   // virtual address of KDDEBUGGER_DATA64
	struct inv_claim ps_loaded_module_list;  // virtual address
	struct inv_claim ps_active_process_head; // virtual address
	struct inv_claim pfn_database;           // virtual address, of the table or of the variable
	struct inv_claim system_time;            // FILETIME
	struct inv_claim up_time;                // 100 ns units
	struct inv_claim context_rsp;            // of the CPU that wrote the dump (CONTEXT.Rsp); x64 only
	struct inv_claim secondary_data_state;
	struct inv_claim product_type, suite_mask;
	size_t cpu_count; // entries in `cpu`
	const struct inv_cpu_claim *cpu;
	char comment[129];
};

// Sections of a triage dump that have no address in the file; the kernel floor finds their addresses.
// A section with size 0 is not in the dump. `bytes` points into the mapped file.
struct inv_section {
	const uint8_t *bytes;
	size_t size;
	uint64_t offset;
};

// A captured range of virtual memory (a triage data block).
struct inv_fragment {
	uint64_t address; // virtual
	const uint8_t *bytes;
	size_t size;
	uint64_t offset; // in the file
};

struct inv_triage_module {
	uint64_t base;
	uint32_t size;
	uint32_t time_stamp;
	uint32_t checksum;
	const uint8_t *name; // UTF-16, not terminated
	size_t name_size;    // in bytes
	uint64_t offset;     // of the entry in the file
};

struct inv_triage {
	struct inv_section prcb, process, thread, call_stack, context, exception, memory_info, unloaded_drivers,
	    debugger_data;
	uint64_t top_of_stack; // the virtual address of call_stack
	size_t fragment_count;
	const struct inv_fragment *fragments; // in file order
	size_t module_count;
	const struct inv_triage_module *modules;
	uint32_t service_pack_build;
	uint32_t triage_options;
};

// A run of consecutive physical memory that is present.
struct inv_run {
	uint64_t address; // physical
	uint64_t size;
};

struct inv_image_info {
	const char *path;
	enum inv_format format;
	enum inv_arch arch;     // as the header claims; INV_ARCH_UNKNOWN for formats that do not say
	uint64_t bytes;         // size of the file
	uint64_t present_pages; // pages of 4 KiB that the format maps; holes of sparse files are not counted
	uint64_t highest;       // one past the highest physical address that is mapped
	// 1: taken at one instant (a bug check, a stopped virtual machine); 0: the header bears the mark of a tool that
	// copies a running machine; -1: the format does not say.
	int atomic;
	struct inv_header header;
	const struct inv_triage *triage; // NULL unless the format is INV_FORMAT_CRASH_TRIAGE
	size_t contradiction_count;      // what the header contradicts and yet does not prevent reading
	const char *const *contradictions;
};

struct inv_image;

// An image is opened in two steps, so that the caller can lock itself in (sandbox) between them: the
// first opens and stats, the second reads content. `path` may be a file or a block device; directories
// and unreadable files fail with INV_E_IO. A partial image (truncated file) is opened, with the missing
// part listed as a contradiction. Compressed files fail with INV_E_UNSUPPORTED and the command that
// unpacks them. `log` may be NULL and must outlive the image.
INV_MUST_USE enum inv_code inv_image_open_file(const char *path, const struct inv_log *log, struct inv_image **image,
                                               struct inv_error *error);
INV_MUST_USE enum inv_code inv_image_recognise(struct inv_image *image, struct inv_error *error);

// Both steps over bytes in memory that the caller keeps alive (tests and fuzzers). `path` is a name for
// messages.
INV_MUST_USE enum inv_code inv_image_open_memory(const char *path, const void *bytes, size_t size,
                                                 struct inv_image **image, struct inv_error *error);

void inv_image_close(struct inv_image *image); // NULL is allowed

const struct inv_image_info *inv_image_info(const struct inv_image *image);
const char *inv_format_name(enum inv_format format); // "raw", "lime", "elf", "crash-full", ...
const char *inv_arch_name(enum inv_arch arch);       // "x64", "arm64", "x86", "unknown"

// The bytes at a physical address, without copying. Returns how many of `size` bytes are present and
// consecutive from `address` on in the file (0 if the first is not in the image) and points `bytes` at them;
// fewer than `size` when the run ends. A hole of a sparse raw file reads as zeros and counts as present
// here: only inv_image_next_run() tells it apart.
size_t inv_image_bytes(const struct inv_image *image, uint64_t address, size_t size, const uint8_t **bytes);

// Copies; joins runs that touch. Returns how many bytes from the start were present.
size_t inv_image_read(const struct inv_image *image, uint64_t address, void *buffer, size_t size);

// The first run of present memory that ends above `address`, clipped to start no lower than `address`; holes
// of a sparse file (SEEK_HOLE) are left out. false at the end.
bool inv_image_next_run(const struct inv_image *image, uint64_t address, struct inv_run *run);

// For whoever goes through the whole image once: as inv_image_bytes(), but the bytes may be read into `buffer`, which has room
// for `size` of them, so that they need not be mapped into this process' memory; they are valid until the buffer is used again.
size_t inv_image_pass(const struct inv_image *image, uint64_t address, size_t size, uint8_t *buffer,
                      const uint8_t **bytes);

#endif
