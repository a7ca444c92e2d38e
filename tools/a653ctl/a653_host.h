/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel/sched/a653_frame.c and rtds_server.c take from the kernel, for
 * user space
 *
 * Only what is used, under the kernel's names and with its meaning.
 */
#ifndef _A653_HOST_H
#define _A653_HOST_H

#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
#define U64_MAX		((u64)~0ULL)
#define S64_MAX		((s64)(U64_MAX >> 1))
#define S64_MIN		((s64)(-S64_MAX - 1))

#ifndef __counted_by
#define __counted_by(...)
#endif
#ifndef __printf
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

#define min_t(type, a, b) \
	({ type __a = (a); type __b = (b); __a < __b ? __a : __b; })
#define max_t(type, a, b) \
	({ type __a = (a); type __b = (b); __a > __b ? __a : __b; })
#define min(a, b) \
	({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })
#define max(a, b) \
	({ __auto_type _a = (a); __auto_type _b = (b); _a > _b ? _a : _b; })

#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

#define DIV64_U64_ROUND_UP(dividend, divisor) \
	({ u64 _divisor = (divisor); ((dividend) + _divisor - 1) / _divisor; })

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (__uint128_t)a * b >> shift;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 divisor)
{
	return (__uint128_t)a * b / divisor;
}

/* There is nobody to give the CPU to who could not take it */
static inline void cond_resched(void)
{
}

#ifdef _GNU_SOURCE	/* for qsort_r(); only those two need it */

typedef int (*cmp_r_func_t)(const void *a, const void *b, const void *priv);
typedef void (*swap_r_func_t)(void *a, void *b, int size, const void *priv);

struct a653_host_sort {
	cmp_r_func_t cmp;
	const void *priv;
};

static inline int a653_host_cmp(const void *a, const void *b, void *arg)
{
	const struct a653_host_sort *sort = arg;

	return sort->cmp(a, b, sort->priv);
}

static inline void sort_r(void *base, size_t num, size_t size,
			  cmp_r_func_t cmp, swap_r_func_t swap,
			  const void *priv)
{
	struct a653_host_sort sort = { .cmp = cmp, .priv = priv };

	(void)swap;
	if (num > 1)
		qsort_r(base, num, size, a653_host_cmp, &sort);
}

#endif /* _GNU_SOURCE */

#endif /* _A653_HOST_H */
