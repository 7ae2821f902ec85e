// SPDX-License-Identifier: Apache-2.0
// Reproducible numbers: the same seed gives the same machine on every computer. (The public-domain generator splitmix64.)
#ifndef INV_FORGE_RANDOM_H
#define INV_FORGE_RANDOM_H

#include <stdint.h>

struct inv_random {
	uint64_t state;
};

static inline uint64_t inv_random_next(struct inv_random *random)
{
	random->state += 0x9e3779b97f4a7c15u;
	uint64_t z = random->state;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

// A number from 0 to `limit` - 1 (0 if `limit` is 0). The bias of the modulo does not matter here.
static inline uint64_t inv_random_below(struct inv_random *random, uint64_t limit)
{
	return limit ? inv_random_next(random) % limit : 0;
}

#endif
