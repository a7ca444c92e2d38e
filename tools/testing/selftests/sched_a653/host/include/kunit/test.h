/* SPDX-License-Identifier: GPL-2.0 */
/*
 * So much of KUnit as kernel/sched/a653_*_test.c use, for a host program
 *
 * kunit_test_suite() becomes main(). It runs each case, prints TAP, and exits
 * with 0 if all of them passed. An assertion that fails ends its case. Memory
 * has exactly the size that was asked for, so that ASan sees a byte too far.
 */
#ifndef _A653_HOST_KUNIT_TEST_H
#define _A653_HOST_KUNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "a653_host.h"

#define GFP_KERNEL	0

struct kunit_memory {
	struct kunit_memory *next;
	void *mem;
};

struct kunit {
	const char *name;
	void *priv;
	bool failed;
	jmp_buf abort;
	struct kunit_memory *memory;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*suite_init)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)	{ .run = fn, .name = #fn }

#define kunit_info(test, fmt, ...) \
	printf("# %s: " fmt, (test)->name, ##__VA_ARGS__)

static inline void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	struct kunit_memory *memory = malloc(sizeof(*memory));

	(void)gfp;
	if (!memory)
		abort();
	memory->mem = calloc(1, size);
	memory->next = test->memory;
	test->memory = memory;
	return memory->mem;
}

static inline __printf(4, 0)
void kunit_host_vfail(struct kunit *test, const char *file, int line,
		      const char *fmt, va_list args)
{
	printf("# %s: %s:%d: ", test->name, file, line);
	vprintf(fmt, args);
	test->failed = true;
}

static inline __printf(4, 5)
void kunit_host_fail(struct kunit *test, const char *file, int line,
		     const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	kunit_host_vfail(test, file, line, fmt, args);
	va_end(args);
}

static inline __printf(4, 5) __attribute__((noreturn))
void kunit_host_abort(struct kunit *test, const char *file, int line,
		      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	kunit_host_vfail(test, file, line, fmt, args);
	va_end(args);
	longjmp(test->abort, 1);
}

#define KUNIT_FAIL(test, fmt, ...) \
	kunit_host_fail(test, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

#define KUNIT_ASSERT_TRUE_MSG(test, cond, fmt, ...)			\
do {									\
	if (!(cond))							\
		kunit_host_abort(test, __FILE__, __LINE__, "%s: " fmt,	\
				 #cond, ##__VA_ARGS__);			\
} while (0)

#define KUNIT_ASSERT_NOT_NULL(test, ptr) \
	KUNIT_ASSERT_TRUE_MSG(test, ptr, "\n")

#define KUNIT_ASSERT_EQ_MSG(test, a, b, fmt, ...)			\
do {									\
	long long _a = (a), _b = (b);					\
									\
	if (_a != _b)							\
		kunit_host_abort(test, __FILE__, __LINE__,		\
				 "%s is %lld, not %lld: " fmt,		\
				 #a, _a, _b, ##__VA_ARGS__);		\
} while (0)

#define KUNIT_ASSERT_EQ(test, a, b) \
	KUNIT_ASSERT_EQ_MSG(test, a, b, "\n")

#define KUNIT_ASSERT_STREQ(test, a, b)					\
do {									\
	const char *_a = (a), *_b = (b);				\
									\
	if (strcmp(_a, _b))						\
		kunit_host_abort(test, __FILE__, __LINE__,		\
				 "%s is\n# \"%s\", not\n# \"%s\"\n",	\
				 #a, _a, _b);				\
} while (0)

/* The seed of random tests: A653_SEED, or always the same */
static inline u64 a653_host_seed(void)
{
	const char *seed = getenv("A653_SEED");

	return seed ? strtoull(seed, NULL, 0) : 0xa653;
}

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

static inline void *memchr_inv(const void *mem, int c, size_t size)
{
	unsigned char *p = (void *)mem;

	for (; size; size--, p++)
		if (*p != (unsigned char)c)
			return p;
	return NULL;
}

static inline void kunit_host_run(struct kunit_suite *suite,
				  struct kunit *test, void (*run)(struct kunit *))
{
	struct kunit_memory *memory;

	if (suite->init && suite->init(test))
		abort();
	if (!setjmp(test->abort))
		run(test);
	while ((memory = test->memory)) {
		test->memory = memory->next;
		free(memory->mem);
		free(memory);
	}
}

static inline int kunit_host_main(struct kunit_suite *suite)
{
	unsigned int nr = 0, failed = 0;
	struct kunit_case *c;

	/* What a crash leaves behind shall tell how far it came */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	if (suite->suite_init && suite->suite_init(suite))
		return 1;
	for (c = suite->test_cases; c->run; c++) {
		struct kunit test = { .name = c->name };

		kunit_host_run(suite, &test, c->run);
		failed += test.failed;
		printf("%sok %u %s.%s\n", test.failed ? "not " : "", ++nr,
		       suite->name, c->name);
	}
	printf("1..%u\n", nr);
	return failed ? 1 : 0;
}

#define kunit_test_suite(suite)			\
int main(void)					\
{						\
	return kunit_host_main(&(suite));	\
}

#endif /* _A653_HOST_KUNIT_TEST_H */
