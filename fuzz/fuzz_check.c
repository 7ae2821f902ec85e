// SPDX-License-Identifier: Apache-2.0
// The whole way: an image of any format, the kernel in it, every witness, every invariant, the report. Whatever the bytes
// are, it must end, and two runs over the same bytes must say the same.
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static char *check_once(const uint8_t *bytes, size_t size)
{
	struct inv_image *image = NULL;
	struct inv_kernel *kernel = NULL;
	char *text = NULL;
	struct inv_kernel_options options = {0};
	if (inv_image_open_memory("fuzz", bytes, size, &image, NULL) == INV_OK &&
	    inv_kernel_identify(image, &options, &kernel, NULL) == INV_OK) {
		struct inv_check *check =
		    inv_check_run(kernel, &(struct inv_check_options){.judged = true, .swept = true, .threads = 1});
		check->seconds = 0; // the one thing that may differ
		json_t *report = inv_report_json(check, "fuzz");
		text = json_dumps(report, JSON_COMPACT);
		json_decref(report);
		inv_check_free(check);
	}
	inv_kernel_free(kernel);
	inv_image_close(image);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = check_once(data, size);
	char *second = check_once(data, size);
	if ((first == NULL) != (second == NULL) || (first && strcmp(first, second) != 0))
		abort();
	free(first);
	free(second);
	return 0;
}
