/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that run one after the other, each in a process of its own, and TAP
 *
 *	TEST(lesson01_tail_is_real)
 *	{
 *		EXPECT(2 > 1, "what is wrong if not");
 *	}
 *
 * EXPECT goes on after a failure, ASSERT does not. A test that takes longer
 * than its time is killed with all its children and has failed.
 *
 * There are fewer repetitions where there are more CPUs. A653_TEST_SCALE
 * divides their number further (slow kernels), A653_TEST_STRETCH multiplies the
 * frames. Arguments choose tests: globs.
 */
#ifndef SELFTEST_A653_TEST_H
#define SELFTEST_A653_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*fn)(void);
	int min_cpus;
	struct test *next;
};

void test_register(struct test *t);

#define TEST_CPUS(_name, _cpus)						\
	static void test_##_name(void);					\
	__attribute__((constructor)) static void test_reg_##_name(void)	\
	{								\
		static struct test t = {				\
			.name = #_name, .fn = test_##_name, .min_cpus = (_cpus), \
		};							\
		test_register(&t);					\
	}								\
	static void test_##_name(void)

#define TEST(_name)	TEST_CPUS(_name, 1)

__attribute__((format(printf, 4, 5)))
void test_failed(bool fatal, const char *file, int line, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void test_note(const char *fmt, ...);
__attribute__((format(printf, 1, 2), noreturn))
void test_skip(const char *fmt, ...);

#define EXPECT(cond, ...) \
	((cond) ? true : (test_failed(false, __FILE__, __LINE__, __VA_ARGS__), false))
#define ASSERT(cond, ...) \
	do { if (!(cond)) test_failed(true, __FILE__, __LINE__, __VA_ARGS__); } while (0)

/* How often to repeat something, how long to make a frame */
int test_scale(int n);
int test_divisor(void);
int test_stretch(void);
int test_cpus(void);

/* Run before each test in its process, and after it in the parent */
extern void (*test_setup)(void);
extern void (*test_cleanup)(void);
extern int test_timeout;	/* seconds */

int test_main(int argc, char **argv);

#endif /* SELFTEST_A653_TEST_H */
