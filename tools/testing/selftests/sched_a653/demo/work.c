// SPDX-License-Identifier: GPL-2.0
/*
 * What runs in a partition
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "demo.h"

/* For how long a task works that has woken */
#define WORK	(400 * US)

static struct demo_page *page;

static bool stopped(void)
{
	return atomic_load_explicit(&page->stop, memory_order_relaxed);
}

/*
 * Straight code, of which an emulator makes short work: time in the guest may
 * be a number of instructions.
 */
static void burn(void)
{
	static uint32_t x = 1;
	uint32_t y = x;
	int i;

#pragma GCC unroll 64
	for (i = 0; i < 64; i++)
		y = y * 5 + 1;
	x = y;
}

static void spin(void)
{
	while (!stopped())
		burn();
}

void demo_hog(struct worker *w)
{
	int i;

	while (!worker_should_stop(w) && now_ns() < w->until)
		for (i = 0; i < 20 && !worker_should_stop(w); i++)
			burn();
}

/* cyclictest's loop, with some work in it */
static void wake_up(int64_t interval)
{
	int64_t next = now_ns();

	while (!stopped()) {
		next += interval;
		pass_until(next);
		spin_ns(WORK);
		/* it waited for a window: leave out what is over */
		while (next + interval < now_ns())
			next += interval;
	}
}

int work(const char *name, const char *interval_us)
{
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
		    DEMO_PAGE_FD, 0);
	if (page == MAP_FAILED) {
		perror("a653_demo");
		return 1;
	}
	prctl(PR_SET_NAME, name);
	mlockall(MCL_CURRENT);
	futex_post(&page->ready);
	while (!atomic_load(&page->go))
		futex_wait(&page->go, 0, 0);
	if (interval_us)
		wake_up(atoll(interval_us) * US);
	else
		spin();
	return 0;
}
