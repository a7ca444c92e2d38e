/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers for tests that are built into the kernel and into host programs:
 * a generator of our own with a known seed, so that both see the same cases. On the
 * host, $A653_SEED is the seed.
 */
#ifndef _KERNEL_SCHED_A653_RND_H
#define _KERNEL_SCHED_A653_RND_H

#include <kunit/test.h>

#ifdef __KERNEL__
#include <linux/math64.h>

#define RND_SEED	0xa653ULL
#else
#define RND_SEED	a653_host_seed()
#endif

/**
 * struct rnd - the generator, and how far a test is
 * @state: of the generator
 * @round: of the test: failed checks tell it
 */
struct rnd {
	u64 state;
	u32 round;
};

/* SplitMix64: short, and any seed will do */
static inline u64 rnd64(struct rnd *r)
{
	u64 x = r->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* One of first ... last; small ranges only, where the bias is nothing */
static inline s64 rnd_in(struct rnd *r, s64 first, s64 last)
{
	u64 rem;

	div64_u64_rem(rnd64(r) >> 16, last - first + 1, &rem);
	return first + (s64)rem;
}

#define CHECK(cond) \
	KUNIT_ASSERT_TRUE_MSG(test, cond, "in round %u\n", \
			      ((struct rnd *)test->priv)->round)

/* Of a suite: each test begins with the seed */
static inline int rnd_test_init(struct kunit *test)
{
	struct rnd *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	r->state = RND_SEED;
	test->priv = r;
	return 0;
}

static inline int rnd_suite_init(struct kunit_suite *suite)
{
	kunit_info(suite, "seed 0x%llx\n", RND_SEED);
	return 0;
}

#endif /* _KERNEL_SCHED_A653_RND_H */
